package process_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/jkstack/jkframe/v2/process"
)

func Example() {
	runner := process.NewRunner(process.Config{Running: 8})
	defer runner.Close()
	p, err := runner.Start(context.Background(), process.Command{
		Args:    []string{"sh", "-c", `echo "hello, $NAME"; exit 3`},
		Env:     []string{"NAME=fleet"},
		Timeout: time.Minute,
		Output:  os.Stdout,
	})
	if err != nil { // ErrNotFound, ErrDenied …
		fmt.Println(err)
		return
	}
	fmt.Println(p.Wait().Code)
	// Output:
	// hello, fleet
	// 3
}
