package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// order is what a worker process is told to do.
type order struct {
	Do       string // connect, drop, churn, fleet, back, emit, shuffle or echo
	Addr     string
	CA       string // file with the certificates that are trusted; "" for no TLS
	Say      Hello
	Prefix   string        // of the agents' ids
	N        int           // agents
	Parallel int           // connects at a time
	For      time.Duration // of a churn or a shuffle
	Every    time.Duration // between two reports of an agent of a fleet; 0 for none
	Since    time.Time     // from when on connects count, for back
}

// report is what it answers.
type report struct {
	Err  string
	N    int   // agents that came
	Came []int // agents by the second in which they came
}

// Work obeys orders from r until it ends, and answers on w. It is what a worker process does.
func Work(ctx context.Context, r io.Reader, w io.Writer) (err error) {
	var wk worker
	defer func() { err = errors.Join(err, wk.drop()) }()
	in, out := json.NewDecoder(r), json.NewEncoder(w)
	for {
		var o order
		if err := in.Decode(&o); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		rep, err := wk.obey(ctx, o)
		if err != nil {
			rep.Err = err.Error()
		}
		if err := out.Encode(rep); err != nil {
			return err
		}
	}
}

// worker is the agents of one process.
type worker struct {
	idle  *crowd
	fleet *fleet
	echo  *echo
}

func (w *worker) obey(ctx context.Context, o order) (rep report, err error) {
	t := Target{Addr: o.Addr, Say: o.Say}
	if t.TLS, err = clientTLS(o.CA); err != nil {
		return rep, err
	}
	switch o.Do {
	case "connect":
		w.idle, err = gather(ctx, t, o.Prefix, o.N, o.Parallel)
		rep.N = o.N
	case "drop":
		err = w.drop()
	case "churn":
		rep.N, err = churn(ctx, t, o.Prefix, o.Parallel, o.For)
	case "fleet":
		w.fleet, err = startFleet(ctx, o)
		rep.N = o.N
	case "back":
		rep.Came, err = w.fleet.back(ctx, o.Since)
		rep.N = w.fleet.size()
	case "emit":
		rep.N, err = w.fleet.emit(ctx, o.N)
	case "shuffle":
		rep.N, err = w.fleet.shuffle(ctx, o.For)
	case "echo":
		w.echo, err = startEcho(ctx, o.Addr)
	default:
		err = fmt.Errorf("unknown order %q", o.Do)
	}
	return rep, err
}

// drop ends all agents.
func (w *worker) drop() (err error) {
	if w.idle != nil {
		if n := w.idle.failed.Load(); n > 0 {
			err = fmt.Errorf("%d heartbeats failed", n)
		}
		w.idle.scatter()
		w.idle = nil
	}
	if w.fleet != nil {
		err = errors.Join(err, w.fleet.stop())
		w.fleet = nil
	}
	if w.echo != nil {
		err = errors.Join(err, w.echo.stop())
		w.echo = nil
	}
	return err
}

// workers are worker processes, which are this program again.
type workers []*process

type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	enc *json.Encoder
	dec *json.Decoder
}

// hire starts n worker processes.
func hire(ctx context.Context, n int) (workers, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var ws workers
	for range n {
		p := &process{cmd: exec.CommandContext(ctx, self, "worker")}
		p.cmd.Stderr = os.Stderr
		in, err := p.cmd.StdinPipe()
		if err != nil {
			return nil, errors.Join(err, ws.dismiss())
		}
		out, err := p.cmd.StdoutPipe()
		if err != nil {
			return nil, errors.Join(err, ws.dismiss())
		}
		if err := p.cmd.Start(); err != nil {
			return nil, errors.Join(err, ws.dismiss())
		}
		p.in, p.enc, p.dec = in, json.NewEncoder(in), json.NewDecoder(out)
		ws = append(ws, p)
	}
	return ws, nil
}

// dismiss ends the processes.
func (ws workers) dismiss() error {
	var errs []error
	for _, p := range ws {
		errs = append(errs, p.in.Close())
	}
	for _, p := range ws {
		errs = append(errs, p.cmd.Wait())
	}
	return errors.Join(errs...)
}

// all gives every worker its part of an order, and adds up what they answer.
func (ws workers) all(o order) (report, error) {
	var sum report
	var errs []error
	for i, p := range ws {
		part := o
		part.N = (o.N*(i+1))/len(ws) - o.N*i/len(ws)
		part.Parallel = max((o.Parallel*(i+1))/len(ws)-o.Parallel*i/len(ws), 1)
		part.Prefix = fmt.Sprintf("%s-%d", o.Prefix, i)
		if err := p.enc.Encode(part); err != nil {
			return sum, err
		}
	}
	for i, p := range ws {
		var r report
		if err := p.dec.Decode(&r); err != nil {
			return sum, fmt.Errorf("worker %d: %w", i, err)
		}
		if r.Err != "" {
			errs = append(errs, fmt.Errorf("worker %d: %s", i, r.Err))
		}
		sum.N += r.N
		for s, n := range r.Came {
			for len(sum.Came) <= s {
				sum.Came = append(sum.Came, 0)
			}
			sum.Came[s] += n
		}
	}
	return sum, errors.Join(errs...)
}
