package smart_test

import (
	"fmt"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/exec"
	"github.com/jkstack/jkframe/v2/server/files"
	"github.com/jkstack/jkframe/v2/server/layout"
	"github.com/jkstack/jkframe/v2/server/smart"
)

// The dialect stands on the features for files, commands and layouts. Where it may go is a list of hosts.
func Example() {
	f := files.New(files.Config{})
	c := exec.New(exec.Config{}, f)
	l := layout.New(layout.Config{}, c, f)
	d := smart.New(smart.Config{Callbacks: []string{"jobs.example.com:443", "*"}}, c, f, l)
	_, err := server.New(server.Config{Features: []server.Feature{f, c, l, d}})
	fmt.Println(err)
	// Output:
	// smart.callbacks: "*" is neither a host name, nor *.name, an address or a network, with a port or without one
}
