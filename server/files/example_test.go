package files_test

import (
	"fmt"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/files"
)

// Files are a feature of a server. What it can be told is checked when the server is made.
func Example() {
	f := files.New(files.Config{Disk: 4 << 30, Transfers: -1})
	_, err := server.New(server.Config{Features: []server.Feature{f}})
	fmt.Println(err)
	// Output:
	// files.transfers: -1 is less than 1
}
