package kvconf_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jkstack/jkframe/v2/kvconf"
)

func Example() {
	type config struct {
		ID  string `kv:"id"`
		Log struct {
			Target []string `kv:"target"`
			Size   int64    `kv:"size,bytes"`
		} `kv:"log"`
		Interval time.Duration `kv:"interval"`
	}
	c := config{Interval: time.Minute} // defaults go first
	err := kvconf.Unmarshal([]byte(`
# who this agent is
id = host-01
log.target = stdout, file   # members of a list
log.size = 10M
`), &c)
	fmt.Println(c.ID, c.Log.Target, c.Log.Size, c.Interval, err)
	// Output: host-01 [stdout file] 10000000 1m0s <nil>
}

func ExampleMarshal() {
	var c struct {
		ID  string `kv:"id" desc:"who this agent is"`
		Log struct {
			Dir  string `kv:"dir"`
			Size int64  `kv:"size,bytes" desc:"size at which a new file is started"`
		} `kv:"log"`
		Motto string `kv:"motto"`
	}
	c.ID, c.Log.Size, c.Motto = "host-01", 10_000_000, "we are #1 # really"
	text, err := kvconf.Marshal(c)
	fmt.Print(string(text))
	fmt.Println(err)
	// Output:
	// # who this agent is
	// id = host-01
	// log.dir =
	//
	// # size at which a new file is started
	// log.size = 10M
	// motto = "we are #1 # really"
	// <nil>
}

// All that is wrong with a file comes at once.
func ExampleErrors_Detail() {
	var c struct {
		Size  int8 `kv:"log.size,bytes"`
		Level int8 `kv:"log.level"`
	}
	text := "log.size = 10Q\nlog.levle = 1\nlog.level = 300\n"
	err := kvconf.NewDecoder(strings.NewReader(text)).File("agent.conf").Decode(&c)
	if all, ok := err.(kvconf.Errors); ok {
		fmt.Println(all.Detail())
	}
	// Output:
	// agent.conf:1:12: log.size: "10Q" is not a size: unknown unit "Q"
	//   1 | log.size = 10Q
	//     |            ^
	// agent.conf:2:1: log.levle: unknown key; did you mean log.level?
	//   2 | log.levle = 1
	//     | ^
	// agent.conf:3:13: log.level: 300 is not between -128 and 127
	//   3 | log.level = 300
	//     |             ^
}

// The file of a newer program does not keep an older one from starting.
func ExampleDecoder_Tolerant() {
	var c struct {
		ID string `kv:"id"`
	}
	d := kvconf.NewDecoder(strings.NewReader("id = a\nnew.setting = 1\n")).File("agent.conf").Tolerant()
	fmt.Println(d.Decode(&c), c.ID)
	for _, finding := range d.Findings() {
		fmt.Println(finding)
	}
	// Output:
	// <nil> a
	// agent.conf:2:1: new.setting: unknown key
}

func ExampleDecoder_Expand() {
	var c struct {
		ID       string `kv:"id,expand"`
		Password string `kv:"password"`
	}
	lookup := func(name string) (string, bool) {
		return map[string]string{"HOSTNAME": "host-01"}[name], name == "HOSTNAME"
	}
	text := "id = agent-$HOSTNAME\npassword = pa$HOSTNAME\n"
	err := kvconf.NewDecoder(strings.NewReader(text)).Expand(lookup).Decode(&c)
	fmt.Println(c.ID, c.Password, err)
	err = kvconf.NewDecoder(strings.NewReader("id = $NOBODY")).File("agent.conf").Expand(lookup).Decode(&c)
	fmt.Println(err)
	// Output:
	// agent-host-01 pa$HOSTNAME <nil>
	// agent.conf:1:6: id: $NOBODY is not set
}

// One setting is changed; every other byte of the file stays.
func ExampleDocument() {
	dir, err := os.MkdirTemp("", "kvconf")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "agent.conf")
	text := "# empty: the server assigns one\nid =   # see the manual\n\nlog.dir=/var/log\n"
	if err := kvconf.WriteFile(name, []byte(text)); err != nil {
		fmt.Println(err)
		return
	}
	doc, err := kvconf.Parse([]byte(text))
	if err == nil {
		err = doc.Set("id", "agent-01")
	}
	if err == nil {
		err = doc.WriteFile(name)
	}
	after, _ := os.ReadFile(name)
	fmt.Print(string(after))
	fmt.Println(err)
	// Output:
	// # empty: the server assigns one
	// id = agent-01   # see the manual
	//
	// log.dir=/var/log
	// <nil>
}

func ExampleParseSize() {
	for _, text := range []string{"10M", "10MiB", "9.5 MiB", "1,5M"} {
		fmt.Println(kvconf.ParseSize(text))
	}
	// Output:
	// 10000000 <nil>
	// 10485760 <nil>
	// 9961472 <nil>
	// 0 "1,5M" is not a size: a comma groups digits by three, a fraction has a point
}
