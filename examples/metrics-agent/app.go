package main

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jkstack/jkframe/v2/hostmetrics"
	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/wire"
)

// app is the agent: a collector, and the jobs that report what it finds.
type app struct {
	host     *hostmetrics.Collector
	jobs     []*job
	warnings atomic.Uint64
}

var (
	_ libagent.Reloader = (*app)(nil)
	_ libagent.Reporter = (*app)(nil)
)

func (*app) Name() string                 { return "metrics-agent" }
func (*app) Version() string              { return version }
func (*app) NewConfig() libagent.Settings { return newConf() }

func taskOf(ag *libagent.Agent) *task { return &libagent.ConfigOf[*conf](ag).Task }

func (a *app) Setup(ag *libagent.Agent) error {
	a.host = hostmetrics.New(&hostmetrics.Options{Warn: func(w hostmetrics.Warning) {
		a.warnings.Add(1)
		if !w.Again {
			ag.Logger().Warn("not collected", "item", w.Item, "error", w.Err)
		}
	}})
	for i, name := range jobNames() {
		j := &job{name: name, section: wire.HostSection(i - 1), app: a}
		j.Job = ag.Every(name, taskOf(ag).interval(name), j.run)
		a.jobs = append(a.jobs, j)
		j.change(0, taskOf(ag).running(name))
	}
	one := libagent.AtOnce(1) // who asks more often waits: it is the host that pays
	libagent.Handle(ag, wire.HostStatic, func(ctx context.Context, _ wire.Empty) (wire.HostStaticReply, error) {
		s, err := a.host.Static(ctx)
		return staticReply(&s), err
	}, one)
	libagent.Handle(ag, wire.HostDynamic, func(ctx context.Context, q wire.HostDynamicRequest) (wire.HostDynamicReply, error) {
		return a.dynamic(ctx, taskOf(ag), q, 10)
	}, one)
	libagent.Handle(ag, wire.CollectStatus, func(context.Context, wire.Empty) (wire.CollectStatusReply, error) {
		r := wire.CollectStatusReply{Connections: taskOf(ag).Conns.Allow}
		for _, name := range known(taskOf(ag).Jobs) {
			r.Jobs = append(r.Jobs, wire.CollectJob{Name: name, Interval: taskOf(ag).interval(name)})
		}
		return r, nil
	})
	libagent.HandleNotice(ag, wire.ChangeCollect, func(_ context.Context, q wire.ChangeCollectPayload) error {
		return ag.SetConfig("task.jobs", strings.Join(known(q.Jobs), ","))
	}, one)
	return nil
}

// known returns the jobs that there are of those that are named, each once.
func known(jobs []string) []string {
	return slices.DeleteFunc(jobNames(), func(name string) bool { return !slices.Contains(jobs, name) })
}

// dynamic collects what is asked for. Somebody who waits for it gets it so many times faster than the limits of the jobs allow.
func (a *app) dynamic(ctx context.Context, t *task, q wire.HostDynamicRequest, faster int) (r wire.HostDynamicReply, err error) {
	r.Begin = time.Now()
	for s := wire.SectionUsage; s <= wire.SectionTemperatures && err == nil; s++ {
		switch {
		case !slices.Contains(q.Sections, s):
		case s == wire.SectionUsage:
			err = a.addUsage(ctx, &r)
		case s == wire.SectionProcesses:
			err = a.addProcesses(ctx, &r, hostmetrics.ProcessQuery{Top: q.Top, PerSecond: faster * t.Process.QPSLimit})
		case s == wire.SectionConnections:
			err = a.addConnections(ctx, &r, t.allowed(q.Connections), faster*t.Conns.QPSLimit)
		case s == wire.SectionTemperatures:
			err = a.addTemperatures(ctx, &r)
		}
	}
	r.End = time.Now()
	return r, err
}

// Reload switches the jobs.
func (a *app) Reload(_ *libagent.Agent, old, new libagent.Settings) error {
	for _, j := range a.jobs {
		j.change(old.(*conf).Task.running(j.name), new.(*conf).Task.running(j.name))
	}
	return nil
}

// Report says how the jobs go.
func (a *app) Report(ctx context.Context, ag *libagent.Agent) error {
	s := wire.MetricsStatusPayload{Warnings: a.warnings.Load()}
	for _, j := range a.jobs {
		if every := taskOf(ag).running(j.name); every > 0 {
			s.Jobs = append(s.Jobs, wire.JobStatus{
				Name: j.name, Interval: uint64(every / time.Second), BytesSent: j.bytes.Load(), Count: j.count.Load(),
			})
		}
	}
	return libagent.Emit(ctx, ag, wire.MetricsStatus, s)
}
