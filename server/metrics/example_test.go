package metrics_test

import (
	"context"
	"fmt"
	"os"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/metrics"
)

// warehouse is a sink of one's own, beside the metrics and the file of the feature.
type warehouse struct{}

// Take is given the next reports when it has returned nil for those before, and the same ones again after an error.
func (warehouse) Take(_ context.Context, reports []server.Entry) error {
	for _, r := range reports {
		fmt.Println(r.ID, r.Agent)
	}
	return nil
}

func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	srv, err := server.New(server.Config{
		DataDir:  dir,
		Features: []server.Feature{metrics.New(metrics.Config{File: dir + "/reports.jsonl"})},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(server.Attach(srv, "warehouse", warehouse{}, metrics.Types()...))
	// Output: <nil>
}
