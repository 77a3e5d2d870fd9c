package hostfile_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/jkstack/jkframe/v2/hostfile"
)

func Example() {
	dir, _ := os.MkdirTemp("", "example-*")
	defer os.RemoveAll(dir)
	access := hostfile.Access{Read: []string{dir}, Write: []string{dir}}
	w, err := access.Create(hostfile.Target{Dir: filepath.Join(dir, "etc"), Name: "motd", Size: 6})
	if err != nil { // ErrOutside, ErrNotFile …
		fmt.Println(err)
		return
	}
	if _, err := io.WriteString(w, "hello\n"); err != nil {
		w.Abort()
		return
	}
	fmt.Println(w.Commit())
	r, err := access.Open(filepath.Join(dir, "etc/motd"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	_, _ = io.Copy(os.Stdout, r) // ends in ErrChanged when the file changes meanwhile
	// Output:
	// <nil>
	// hello
}
