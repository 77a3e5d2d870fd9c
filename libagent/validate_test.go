package libagent_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/libagent"
)

// strictConf is a config that checks itself.
type strictConf struct {
	libagent.Config `kv:"basic"`
	Interval        time.Duration `kv:"interval"`
	Depth           int           `kv:"depth"`
}

func (c *strictConf) Validate() error {
	var errs []error
	if c.Interval <= 0 {
		errs = append(errs, fmt.Errorf("interval: %v is not positive", c.Interval))
	}
	if c.Depth > 9 {
		errs = append(errs, fmt.Errorf("depth: %d is more than 9", c.Depth))
	}
	if c.Depth == 7 {
		errs = append(errs, errors.New("not today: 7 brings bad luck"))
	}
	return errors.Join(errs...)
}

var _ libagent.Validator = (*strictConf)(nil)

type strictApp struct{ testApp }

func (strictApp) NewConfig() libagent.Settings { return &strictConf{Interval: time.Minute} }

// What the author's own check refuses is shown with its places, together with everything else that is wrong with the file: who has
// written it corrects it once.
func TestValidate(t *testing.T) {
	app := &strictApp{}
	for _, c := range []struct {
		name, text string
		want       []string // nil: good
	}{
		{"good", "basic.server = h\ndepth = 9\n", nil},
		{"own", "basic.server = h\ninterval = 0s\ndepth = 10\n", []string{"agent.conf:2:12: interval: 0s is not", "agent.conf:3:9: depth: 10 is more"}},
		{"no key", "basic.server = h\ndepth = 7\n", []string{"agent.conf: not today: 7 brings bad luck"}},
		{"everyone's too", "interval = 0s\nbasic.monitor.interval = 1ms\nbasic.outbox.full = no\n", []string{
			"agent.conf:1:12: interval: 0s is not", "basic.server: missing", "agent.conf:2:26: basic.monitor.interval", "agent.conf:3:21: basic.outbox.full",
		}},
		{"unknown and misspelt", "basic.server = h\ndepht = 3\ninterval = 0s\nbasic.monitor.interval = soon\n", []string{
			"agent.conf:2:1: depht", "agent.conf:3:12: interval: 0s is not", "agent.conf:4:26: basic.monitor.interval",
		}},
	} {
		err := libagent.Check(app, write(t, "agent.conf", c.text))
		if (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v", c.name, err)
		}
		for _, want := range c.want {
			if err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s: lacks %q:\n%v", c.name, want, err)
			}
		}
	}
	conf := &strictConf{Depth: 10}
	conf.Server = []string{"h"}
	if err := libagent.Run(t.Context(), app, &libagent.Options{Config: conf}); err == nil || !strings.Contains(err.Error(), "depth: 10 is more than 9") {
		t.Errorf("a config that is in no file: %v", err)
	}
}
