package wire_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/wire"
)

// What an author declares may be large, or of any form.
type (
	large struct{ A, B, C, D, E, F, G, H [64]int64 } // 4 KiB
	forms struct {
		Large  []large           `json:"large"`
		Ptrs   []*large          `json:"ptrs"`
		Lists  [][]string        `json:"lists"`
		Grids  [][]large         `json:"grids"`
		Any    any               `json:"any"`
		Anys   map[string]any    `json:"anys"`
		Map    map[string]string `json:"map"`
		Floats []float64         `json:"floats"`
		Text   string            `json:"text"`
		Bytes  []byte            `json:"bytes"`
		Tree   tree              `json:"tree"`
	}
	tree []tree
)

var ofForms = wire.Define[forms](30001, "forms", "p")

// repeat returns a frame of about 1 MiB with as many elements as that takes.
func repeat(before, element, after string) []byte {
	n := (1<<20 - len(before) - len(after)) / len(element)
	return []byte(before + strings.TrimSuffix(strings.Repeat(element, n), ",") + after)
}

// numbered is repeat with the number of the element in it.
func numbered(before, element, after string) []byte {
	var b strings.Builder
	b.WriteString(before)
	for i := 0; b.Len() < 1<<20; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, element, i)
	}
	return []byte(b.String() + after)
}

func forPayload(member string) (string, string) { return `{"type":30001,"p":{"` + member + `":`, `}}` }

// No frame makes its receiver take more memory than a small multiple of its length, whatever it is made of: one that would
// is refused before.
func TestMemory(t *testing.T) {
	frames := map[string][]byte{
		"empty processes":    repeat(`{"type":33,"hm_dynamic_rep":{"process":[`, "{},", "]}}"),
		"small processes":    numbered(`{"type":33,"hm_dynamic_rep":{"process":[`, `{"id":%d}`, "]}}"),
		"ports":              repeat(`{"type":33,"hm_dynamic_rep":{"process":[{"listen":[`, "0,", "]}]}}"),
		"empty arguments":    repeat(`{"type":10,"exec":{"args":[`, `"",`, "]}}"),
		"a task":             repeat(`{"type":8,"tid":"`, "x", `"}`),
		"an error":           repeat(`{"type":0,"errmsg":"`, "x", `"}`),
		"an id":              repeat(`{"type":1,"come":{"id":"`, "x", `"}}`),
		"names":              numbered(`{"type":8,`, `"%x":0`, "}"),
		"names with escapes": numbered(`{"type":8,`, `"\u0041%x":0`, "}"),
		"names inside":       numbered(`{"type":8,"x":[{`, `"%x":0`, "}]}"),
		"arrays":             repeat(`{"type":8,"x":[`, "[],", "]}"),
		"open arrays":        repeat(`{"type":8,"x":`, "[", ""),
		"digits":             repeat(`{"type":14,"exec_kill":{"pid":`, "1", "}}"),
		"times":              repeat(`{"type":10001,"ls_log":{"files":[`, `{"mod":"2026-11-20T13:56:00+05:45"},`, "]}}"),
	}
	for name, of := range map[string]struct{ member, open, element, closing string }{
		"large structs":        {"large", "[", "{},", "]"},
		"pointers":             {"ptrs", "[", "{},", "]"},
		"large structs, alone": {"grids", "[", "[{}],", "]"},
		"pointers to nothing":  {"ptrs", "[", "null,", "]"},
		"lists":                {"lists", "[", `[],`, "]"},
		"lists of one":         {"lists", "[", `[""],`, "]"},
		"lists of five":        {"lists", "[", `["","","","",""],`, "]"},
		"any: numbers":         {"any", "[", "1,", "]"},
		"any: texts":           {"any", "[", `"",`, "]"},
		"any: lists":           {"any", "[", "[],", "]"},
		"any: lists of one":    {"any", "[", "[1],", "]"},
		"any: objects":         {"any", "[", "{},", "]"},
		"any: objects of one":  {"any", "[", `{"":1},`, "]"},
		"floats":               {"floats", "[", "0,", "]"},
		"text":                 {"text", `"`, "x", `"`},
		"text with escapes":    {"text", `"`, `\u0041`, `"`},
		"text of surrogates":   {"text", `"`, `\ud800`, `"`},
		"bytes":                {"bytes", `"`, "AAAA", `"`},
		"bytes of line breaks": {"bytes", `"`, `\n`, `"`},
		"a wide tree":          {"tree", "[", "[],", "]"},
		"a tree of pairs":      {"tree", "[", "[[],[]],", "]"},
	} {
		before, after := forPayload(of.member)
		frames[name] = repeat(before+of.open, of.element, of.closing+after)
	}
	for _, member := range []string{"any", "anys", "map"} {
		before, after := forPayload(member)
		frames["names: "+member] = numbered(before+"{", `"%x":""`, "}"+after)
	}
	all := declared()
	add(all, ofForms)
	for name, frame := range frames {
		t.Run(name, func(t *testing.T) {
			var err error
			took := allocated(func() {
				var f *wire.Frame
				if f, err = wire.Parse(frame); err == nil && f.Type != wire.ErrorType {
					_, err = all[f.Type].decode(f)
				}
			})
			times := float64(took) / float64(len(frame))
			t.Logf("%.1f times the frame's %d bytes, %v", times, len(frame), err)
			// What Decode promises, and a quarter for what the allocator rounds up, which is more with the race detector.
			if limit := 20*uint64(len(frame)) + 64<<10; took > limit {
				t.Errorf("a frame of %d bytes made its receiver take %d bytes, %.1f times as many", len(frame), took, times)
			}
			var e *wire.Error
			if err != nil && !errors.As(err, &e) {
				t.Error(err)
			}
		})
	}
}

// allocated returns how many bytes a function allocates in all, given back or not.
func allocated(fn func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	fn()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
