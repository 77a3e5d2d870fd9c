package main

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/wire"
)

// job reports one kind of thing again and again.
type job struct {
	*libagent.Job

	name         string
	section      wire.HostSection // -1 for static data
	app          *app
	bytes, count atomic.Uint64 // of what was sent
}

// change gives the job another interval, 0 for none. One that is switched on runs at once.
func (j *job) change(old, now time.Duration) {
	if old != now || now == 0 {
		j.Reset(now)
	}
	if old == 0 && now > 0 {
		j.Now()
	}
}

// run makes one report.
func (j *job) run(ctx context.Context, ag *libagent.Agent) error {
	if j.name == wire.JobStatic {
		s, err := j.app.host.Static(ctx)
		if err != nil {
			return err
		}
		return send(ctx, ag, j, wire.HostStatic.Reply, staticReply(&s))
	}
	r, err := j.app.dynamic(ctx, taskOf(ag), wire.HostDynamicRequest{Sections: []wire.HostSection{j.section}}, 1)
	if err != nil {
		return err
	}
	return send(ctx, ag, j, wire.HostDynamic.Reply, r)
}

// send sends a report and counts it.
func send[T any](ctx context.Context, ag *libagent.Agent, j *job, m *wire.Message[T], v T) error {
	frame, err := m.Append(nil, "", &v)
	if err != nil {
		return err
	}
	if err := libagent.Emit(ctx, ag, m, v); err != nil {
		return err
	}
	j.bytes.Add(uint64(len(frame)))
	j.count.Add(1)
	return nil
}
