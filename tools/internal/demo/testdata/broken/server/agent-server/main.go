// Command agent-server is ready, and never knows an agent.
package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
)

func main() {
	conf, err := os.ReadFile("conf/server.conf")
	if err != nil {
		panic(err)
	}
	_, addr, _ := strings.Cut(string(conf), "api.listen = ")
	if err := os.WriteFile("api.token", []byte("secret\n"), 0o600); err != nil {
		panic(err)
	}
	http.HandleFunc("/readyz", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	http.HandleFunc("/api/agents", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, `{"code":0,"payload":[]}`)
	})
	panic(http.ListenAndServe(strings.TrimSpace(addr), nil))
}
