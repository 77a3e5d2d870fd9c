package files

import (
	"context"
	"encoding/hex"
	"errors"
	"sync"
	"time"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/form"
	"github.com/jkstack/jkframe/v2/wire"
)

// Order is an upload as a form has it.
type Order struct {
	Upload
	Agent   string
	Timeout time.Duration // how long it may take once the form has come
}

// letGoTime is how long an agent may take to remove what it has of a file that is not wanted, before the caller is answered.
const letGoTime = 5 * time.Second

// UploadForm writes the file of a form that has begun, and returns its path on the host. An agent of ours gets the file while it
// comes, if read makes an order of what came before the file; the agent has its end, and all of the order, only when all has come
// and is right.
func (f *Files) UploadForm(ctx context.Context, v *form.Form, read func() (Order, error)) (path string, err error) {
	first, err := read()
	if err == nil && v.File.Grows() && f.follows(ctx, first.Agent) {
		return f.uploadGrowing(ctx, v, first, read)
	}
	if err := v.Finish(); err != nil {
		return "", err
	}
	o, err := read()
	if err == nil {
		err = v.CheckMD5()
	}
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	return f.Upload(ctx, o.Agent, o.Upload)
}

// follows reports whether an agent can fetch what still comes.
func (f *Files) follows(ctx context.Context, agent string) bool {
	_, ours, err := f.expect(ctx, agent)
	return err == nil && ours
}

// uploadGrowing uploads a file while it comes.
func (f *Files) uploadGrowing(ctx context.Context, v *form.Form, o Order, read func() (Order, error)) (path string, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	whole := ctx
	ctx, recorded := server.Late(ctx)
	g := newGrowing(v.File.Stream(o.Timeout), recorded)
	var q *wire.UploadRequest
	var wrong error
	var late *time.Timer
	var coming sync.WaitGroup
	coming.Go(func() {
		var timeout time.Duration
		if q, timeout, wrong = f.settle(whole, v, g, o, read); wrong != nil { // the agent is told, and lets go of what it has
			late = time.AfterFunc(letGoTime, func() { cancel(wrong) })
			g.Settle(wrong)
		} else {
			late = time.AfterFunc(timeout, func() { cancel(context.DeadlineExceeded) })
			g.settle(q)
		}
	})
	path, err = f.upload(ctx, o.Agent, o.Upload, g)
	g.Drop(err)
	coming.Wait()
	late.Stop()
	if wrong != nil {
		return "", wrong
	}
	if e := recorded(); e != nil { // then the agent was told that the file is not wanted
		return "", e
	}
	if e := (*server.AgentError)(nil); q.MD5Check && errors.As(err, &e) && e.Why == wire.WhyChecksum {
		err = form.ErrSum
	}
	return path, err
}

// settle reads the rest of a form, and makes the whole order.
func (f *Files) settle(ctx context.Context, v *form.Form, g *growing, first Order, read func() (Order, error)) (*wire.UploadRequest, time.Duration, error) {
	if err := v.Finish(); err != nil {
		return nil, 0, err
	}
	o, err := read()
	if err != nil {
		return nil, 0, err
	}
	q := o.order()
	q.Pass = "" // the content is there: nobody has to prove anything any more
	size, sha, sum := g.Sums()
	q.Size, q.SHA256 = uint64(size), hex.EncodeToString(sha[:])
	switch want, err := v.WantMD5(); {
	case err != nil:
		return nil, 0, err
	case want == nil:
	case sum == nil: // it was said after the file: the agent compares it
		q.MD5, q.MD5Check = *want, true
	case *sum != *want:
		return nil, 0, form.ErrSum
	}
	if o.Agent != first.Agent || o.Dir != first.Dir || o.Name != first.Name {
		return nil, 0, form.Bad("the form says something else at its end")
	}
	if o.Upload != first.Upload {
		err = f.record(ctx, o.Agent, func(b []byte, task string) ([]byte, error) { return wire.Upload.Request.Append(b, task, &q) })
	}
	return &q, o.Timeout, err
}
