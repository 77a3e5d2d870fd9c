// Command example-agent does not want to.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Println("out of order", os.Args[1:])
	os.Exit(3)
}
