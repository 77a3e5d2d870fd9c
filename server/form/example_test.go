package form_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/jkstack/jkframe/v2/server/form"
	"github.com/jkstack/jkframe/v2/server/rest"
)

// A call that takes a form with a file.
func Example() {
	dir, err := os.MkdirTemp("", "uploads-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	store := form.NewStore(func() (string, error) { return dir, nil }, 1<<30)

	call := func(w http.ResponseWriter, r *http.Request) error {
		f, err := form.Read(w, r, store)
		if err != nil {
			return err
		}
		defer f.Close()
		file, err := f.NeedFile()
		if err != nil {
			return err
		}
		timeout, err := f.Seconds("timeout", time.Minute, time.Hour)
		if err != nil {
			return err
		}
		fmt.Printf("%s: %d bytes for %q, within %v\n", file.Name, file.Len(), f.List("ids"), timeout)
		return nil
	}

	const body = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"app.tar\"\r\n\r\n0123456789\r\n" +
		"--x\r\nContent-Disposition: form-data; name=\"timeout\"\r\n\r\n5\r\n--x--\r\n"
	for _, query := range []string{"ids=a&ids=b", "timeout=never"} {
		r := httptest.NewRequest(http.MethodPost, "/?"+query, strings.NewReader(body))
		r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		if err := call(httptest.NewRecorder(), r); err != nil {
			fmt.Println(err.(*rest.Error).Code, err)
		}
	}
	// Output:
	// app.tar: 10 bytes for ["a" "b"], within 5s
	// 400 bad param: timeout:strconv.ParseInt: parsing "never": invalid syntax
}
