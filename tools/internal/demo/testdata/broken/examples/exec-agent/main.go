// Command exec-agent does nothing until it is told to end.
package main

import (
	"os"
	"os/signal"
	"time"
)

func main() {
	end := make(chan os.Signal, 1)
	signal.Notify(end, os.Interrupt)
	select {
	case <-end:
	case <-time.After(time.Minute):
	}
}
