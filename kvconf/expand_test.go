package kvconf_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/kvconf"
)

func lookup(name string) (string, bool) {
	value, ok := map[string]string{
		"HOSTNAME": "host-01", "A": "a", "A_1": "a1", "_": "under", "EMPTY": "", "DOLLAR": "$HOSTNAME", "LIST": "x, y", "N": "7", "HASH": "a #b",
	}[name]
	return value, ok
}

func TestExpand(t *testing.T) {
	for value, want := range map[string]string{
		"$HOSTNAME":         "host-01",
		"${HOSTNAME}":       "host-01",
		"x-$A-y":            "x-a-y",
		"$A$A${A}A":         "aaaA",
		"$A_1":              "a1",
		"${A}_1":            "a_1",
		"$A.b":              "a.b",
		"$_":                "under",
		"[$EMPTY]":          "[]",
		"$DOLLAR":           "$HOSTNAME", // what was put in is not expanded
		"$$HOSTNAME":        "$HOSTNAME",
		"$$$A":              "$a",
		"cost 5$":           "cost 5$",
		"$ A":               "$ A",
		"$1":                "$1",
		"$-":                "$-",
		`"${HASH} # $A"`:    "a #b # a",
		"$名":                "$名",
		"plain":             "plain",
		"$HASH # a comment": "a #b",
	} {
		var c struct {
			V string `kv:"v,expand"`
		}
		if err := kvconf.NewDecoder(strings.NewReader("v = " + value)).Expand(lookup).Decode(&c); err != nil || c.V != want {
			t.Errorf("%s: %q, %v, want %q", value, c.V, err, want)
		}
	}
}

// Only the fields that ask for it are expanded: a password with a "$" is not touched. Without the option nothing is.
func TestExpandOnlyWhatAsksForIt(t *testing.T) {
	const text = "id = $HOSTNAME\npass = pa$A\nlist = $LIST,$A\nn = $N\nmap.x = $A\nany.x = $A\nopt = ${A}\n"
	type conf struct {
		ID   string            `kv:"id,expand"`
		Pass string            `kv:"pass"`
		List []string          `kv:"list,expand"`
		N    string            `kv:"n,expand"`
		Map  map[string]string `kv:"map"`
		Any  map[string]any    `kv:"any,expand"`
		Opt  *string           `kv:"opt,expand"`
	}
	var c conf
	if err := kvconf.NewDecoder(strings.NewReader(text)).Expand(lookup).Decode(&c); err != nil {
		t.Fatal(err)
	}
	want := conf{
		"host-01", "pa$A", []string{"x", "y", "a"}, "7", map[string]string{"x": "$A"}, map[string]any{"x": "a"}, ptr("a"),
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got %+v", c)
	}
	c = conf{}
	if err := kvconf.Unmarshal([]byte(text), &c); err != nil || c.ID != "$HOSTNAME" || c.Map["x"] != "$A" {
		t.Errorf("without the option: %+v, %v", c, err)
	}
	c = conf{}
	if err := kvconf.NewDecoder(strings.NewReader(text)).Expand(lookup).ExpandMap().Decode(&c); err != nil || c.Map["x"] != "a" || c.Pass != "pa$A" {
		t.Errorf("with maps: %+v, %v", c, err)
	}
	var m map[string]string
	if err := kvconf.NewDecoder(strings.NewReader(text)).Expand(lookup).Decode(&m); err != nil || m["id"] != "$HOSTNAME" {
		t.Errorf("a map: %v, %v", m, err)
	}
	var values map[string]any
	d := func() *kvconf.Decoder { return kvconf.NewDecoder(strings.NewReader(text)).Expand(lookup).ExpandMap() }
	if err := d().Decode(&m); err != nil || m["id"] != "host-01" {
		t.Errorf("a map that asks for it: %v, %v", m, err)
	}
	if err := d().Decode(&values); err != nil || values["id"] != "host-01" {
		t.Errorf("a map of any: %v, %v", values, err)
	}
}

func TestExpandErrors(t *testing.T) {
	for text, want := range map[string]string{
		"\nid = x-$NOBODY":         "agent.conf:2:8: id: $NOBODY is not set",
		"id = ${NOBODY}":           "agent.conf:1:6: id: $NOBODY is not set",
		`id = "ä$NOBODY"`:          "agent.conf:1:8: id: $NOBODY is not set",
		`id = "\t$NOBODY"`:         "agent.conf:1:6: id: $NOBODY is not set",
		"id = ${A":                 `agent.conf:1:6: id: "${" is not closed`,
		"id = ${A-b}":              `agent.conf:1:6: id: "A-b" within ${} is not a name`,
		"id = ${}":                 `agent.conf:1:6: id: "" within ${} is not a name`,
		"n = $HOSTNAME":            `agent.conf:1:5: n: "host-01" is not a whole number`,
		"n = $HOSTNAME # x":        `agent.conf:1:5: n: "host-01" is not a whole number`,
		"list = $A,b, $NOBODY":     "agent.conf:1:14: list: $NOBODY is not set",
		"id = a\nid = $NOBODY #$A": "agent.conf:2:6: id: $NOBODY is not set",
	} {
		var c struct {
			ID   string   `kv:"id,expand"`
			N    int      `kv:"n,expand"`
			List []string `kv:"list,expand"`
		}
		err := kvconf.NewDecoder(strings.NewReader(text)).File("agent.conf").Expand(lookup).Decode(&c)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
			continue
		}
		if unset := strings.Contains(want, "not set"); errors.Is(err, kvconf.ErrUnset) != unset {
			t.Errorf("%q: errors.Is ErrUnset is not %v", text, unset)
		}
	}
	var m map[string]string
	err := kvconf.NewDecoder(strings.NewReader("a = $NOBODY")).Expand(lookup).ExpandMap().Decode(&m)
	if !errors.Is(err, kvconf.ErrUnset) || len(m) != 0 {
		t.Errorf("a map: %v, %v", m, err)
	}
}
