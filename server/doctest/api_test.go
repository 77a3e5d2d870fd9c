package doctest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/internal/doccheck"
	"github.com/jkstack/jkframe/v2/server/features"
	"github.com/jkstack/jkframe/v2/server/internal/servertest"
)

// The page of the API lists every call of commands, files and layouts in both dialects, and no others.
func TestFeatureCalls(t *testing.T) {
	s := servertest.Start(t, features.All()...)
	documented := make(map[string]bool)
	for _, table := range doccheck.Tables(read(t, docs+"/api.md")) {
		if table.Head[0] != "call" {
			continue
		}
		for _, row := range table.Rows {
			call, _, _ := strings.Cut(strings.Trim(row[0], "`"), "?")
			documented[call] = true
		}
	}
	_, body := s.Get(t, http.MethodGet, "/api/openapi.json")
	var api struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal([]byte(body), &api); err != nil {
		t.Fatal(err)
	}
	for path, methods := range api.Paths {
		part, _, _ := strings.Cut(strings.TrimPrefix(path, "/api/"), "/")
		if !strings.Contains(" exec script file layout ", " "+part+" ") {
			continue
		}
		for method := range methods {
			call := strings.ToUpper(method) + " " + path
			if !documented[call] {
				t.Errorf("api.md lacks %s", call)
			}
			delete(documented, call)
		}
	}
	if len(documented) != 16 {
		t.Errorf("%d calls at the root: %v", len(documented), documented)
	}
	for call := range documented { // those at the root are not described
		if _, body := s.Get(t, http.MethodGet, call); strings.Contains(body, "not found: route") {
			t.Errorf("api.md has %s, which is no call", call)
		}
	}
}
