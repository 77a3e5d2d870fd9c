package hostmetrics_test

import (
	"context"
	"fmt"
	"log"

	"github.com/jkstack/jkframe/v2/hostmetrics"
)

// How busy this machine is, and what keeps it so.
func Example() {
	ctx := context.Background()
	c := hostmetrics.New(&hostmetrics.Options{
		Warn: func(w hostmetrics.Warning) { log.Print("not collected: ", w) },
	})
	usage, err := c.Usage(ctx)
	if err != nil {
		log.Fatal(err)
	}
	if usage.CPU != nil {
		fmt.Println("busy:", *usage.CPU >= 0 && *usage.CPU <= 100)
	}
	list, err := c.Processes(ctx, hostmetrics.ProcessQuery{Top: 1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("processes:", len(list))
	// Output:
	// busy: true
	// processes: 1
}
