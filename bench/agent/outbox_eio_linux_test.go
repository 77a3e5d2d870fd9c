package agent_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"github.com/jkstack/jkframe/v2/bench/internal/faultfs"
	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/libagent/agenttest"
	"github.com/jkstack/jkframe/v2/wire"
)

type note struct {
	N string `json:"n"`
}

var notes = wire.Define[note](30900, "note", "note")

type conf struct {
	libagent.Config `kv:"basic"`
}

// noting is an app whose agent a test gets hold of.
type noting struct{ ready chan *libagent.Agent }

func (noting) Name() string                 { return "noting-agent" }
func (noting) Version() string              { return "1.0.0" }
func (noting) NewConfig() libagent.Settings { return &conf{} }
func (a noting) Setup(ag *libagent.Agent) error {
	a.ready <- ag
	return nil
}

// The disk under the outbox dies at the sync and throws away what it has not written: Emit says so, what it has accepted
// reaches the server once and in order, what it has refused does not, and it goes on when the disk is back.
func TestOutboxDiskDies(t *testing.T) {
	for _, sync := range []string{"disk", "interval"} {
		t.Run(sync, func(t *testing.T) {
			disk := faultfs.Mount(t)
			srv := agenttest.NewServer(t, nil)
			srv.Down(true)
			c := &conf{libagent.Config{Reconnect: libagent.ReconnectConfig{Spread: -1}}}
			c.Outbox.Dir, c.Outbox.Sync = filepath.Join(disk.Dir(), "outbox"), sync
			ready := make(chan *libagent.Agent, 1)
			srv.Start(noting{ready}, &libagent.Options{Config: c})
			ag := <-ready
			var accepted []string
			emitted := 0
			emit := func() error {
				emitted++
				n := strconv.Itoa(emitted)
				err := libagent.Emit(context.Background(), ag, notes, note{n})
				if err == nil {
					accepted = append(accepted, n)
				}
				return err
			}
			const some = 50
			for range some {
				if err := emit(); err != nil {
					t.Fatal(err)
				}
			}
			disk.FailSyncs(syscall.EIO)
			var err error
			for err == nil {
				err = emit()
			}
			if !errors.Is(err, syscall.EIO) {
				t.Errorf("refused with %v", err)
			}
			if s := ag.Status().Outbox; s.Fault == "" {
				t.Errorf("the status says that all is well: %+v", s)
			}
			disk.FailSyncs(0)
			for range some {
				if err := emit(); err != nil {
					t.Fatal(err)
				}
			}
			if s := ag.Status().Outbox; s.Fault != "" {
				t.Errorf("the disk is back: %+v", s)
			}
			srv.Down(false)
			s := srv.Accept()
			var came []string
			for range accepted {
				came = append(came, agenttest.Wait(s, notes).N)
			}
			if !slices.Equal(came, accepted) {
				t.Errorf("came %d: %.200q\naccepted %d: %.200q", len(came), came, len(accepted), accepted)
			}
		})
	}
}
