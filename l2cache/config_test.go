package l2cache_test

import (
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/l2cache"
)

// A configuration that makes no sense is refused in words.
func TestConfig(t *testing.T) {
	dir := durable(t).Dir
	for want, cfg := range map[string]l2cache.QueueConfig{
		"a durable queue needs a folder":                      {},
		"size of 100 bytes is less than 65536":                {Dir: dir, Size: 100},
		"memory of -1 bytes":                                  {Volatile: true, Memory: -1},
		"sync every -1s":                                      {Dir: dir, SyncEvery: -1e9},
		"segment of 1 bytes is not within 4096 and 268435456": {Dir: dir, Segment: 1},
		"segment of 65536 bytes is not within 4096 and 16384": {Dir: dir, Size: 64 << 10, Segment: 64 << 10},
		"sync 4":                            {Dir: dir, Sync: 4},
		"full discard is none of a queue's": {Dir: dir, Full: l2cache.FullDiscard},
		"full 4 is none of a queue's":       {Dir: dir, Full: 4},
	} {
		if _, err := l2cache.OpenQueue(cfg); err == nil || err.Error() != "open queue: "+want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// The words of a configuration file are those that String prints.
func TestWords(t *testing.T) {
	for _, s := range []l2cache.Sync{l2cache.SyncGroup, l2cache.SyncEach, l2cache.SyncInterval, l2cache.SyncNone} {
		text, err := s.MarshalText()
		var back l2cache.Sync
		if err != nil || back.UnmarshalText(text) != nil || back != s {
			t.Errorf("%s: %s, %v", s, back, err)
		}
	}
	for _, f := range []l2cache.Full{l2cache.FullWait, l2cache.FullRefuse, l2cache.FullDrop, l2cache.FullDiscard} {
		text, err := f.MarshalText()
		var back l2cache.Full
		if err != nil || back.UnmarshalText(text) != nil || back != f {
			t.Errorf("%s: %s, %v", f, back, err)
		}
	}
	var s l2cache.Sync
	if err := s.UnmarshalText([]byte("never")); err == nil || !strings.Contains(err.Error(), `"never" is none of ["group"`) {
		t.Errorf("unknown word: %v", err)
	}
	if got := l2cache.Full(7).String(); got != "7" {
		t.Errorf("unknown value: %q", got)
	}
}
