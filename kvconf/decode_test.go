package kvconf_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/kvconf"
)

type disk struct {
	Dev       string `kv:"dev"`
	ReadBytes uint64 `kv:"read_bytes,bytes"`
	ReadIOPS  uint64 `json:"read_iops"`
}

type basic struct {
	ID     string `kv:"id,expand"`
	Server string `kv:"server,expand"`
	Log    struct {
		Target []string `kv:"target"`
		Dir    string   `kv:"dir"`
		Size   uint64   `kv:"size,bytes"`
		Rotate int      `kv:"rotate"`
	} `kv:"log"`
	Monitor struct {
		Enabled  bool          `kv:"enabled"`
		Interval time.Duration `kv:"interval"`
	} `kv:"monitor"`
	Limit struct {
		CPUQuota    int    `kv:"cpu_quota"`
		MemoryLimit uint64 `kv:"memory_limit,bytes"`
		DiskLimit   []disk `kv:"disk_limit"`
	} `kv:"limit"`
}

type task struct {
	Interval time.Duration `kv:"interval"`
	QPSLimit uint          `kv:"qps_limit"`
	Allow    []string      `kv:"allow"`
}

type agent struct {
	basic `kv:"basic"`
	Task  struct {
		Jobs    []string `kv:"jobs"`
		Static  task     `kv:"static"`
		Usage   task     `kv:"usage"`
		Process task     `kv:"process"`
		Conns   task     `kv:"conns"`
		Temps   task     `kv:"temps"`
	} `kv:"task"`
}

func TestCorpus(t *testing.T) {
	files, err := filepath.Glob("testdata/conf/*.conf")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var c agent
		if err := kvconf.Unmarshal(data, &c); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if c.Monitor.Interval != 2*time.Second || len(c.Log.Target) == 0 {
			t.Errorf("%s: decoded to %+v", name, c)
		}
	}
}
