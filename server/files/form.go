package files

import (
	"context"
	"errors"
	"time"

	"github.com/jkstack/jkframe/v2/server/form"
)

// Order is an upload as a form has it.
type Order struct {
	Upload
	Agent   string
	Timeout time.Duration // how long it may take once the form has come
}

// letGoTime is how long an agent may take to remove what it has of a file that is not wanted, before the caller is answered.
const letGoTime = 5 * time.Second

// errUnsettled ends an upload that was begun with less than the form says in the end.
var errUnsettled = errors.New("the form says something else at its end")

// UploadForm writes the file of a form that has begun, and returns its path on the host. An agent of ours gets the file while it
// comes, if read makes the same order of what came before the file as of the whole form; the agent has its end only
// when all has come and is right.
func (f *Files) UploadForm(ctx context.Context, v *form.Form, read func() (Order, error)) (path string, err error) {
	first, err := read()
	if err == nil && v.File.Grows() && f.follows(ctx, first.Agent) {
		path, err = f.uploadGrowing(ctx, v, first, read)
		if !errors.Is(err, errUnsettled) {
			return path, err
		}
	}
	o, err := finish(v, read)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	return f.Upload(ctx, o.Agent, o.Upload)
}

// finish reads the rest of a form, and makes an order of all of it.
func finish(v *form.Form, read func() (Order, error)) (Order, error) {
	if err := v.Finish(); err != nil {
		return Order{}, err
	}
	o, err := read()
	if err == nil {
		err = v.CheckMD5()
	}
	return o, err
}

// follows reports whether an agent can fetch what still comes.
func (f *Files) follows(ctx context.Context, agent string) bool {
	_, ours, err := f.expect(ctx, agent)
	return err == nil && ours
}

// uploadGrowing uploads a file while it comes.
func (f *Files) uploadGrowing(ctx context.Context, v *form.Form, o Order, read func() (Order, error)) (string, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	type end struct {
		path string
		err  error
	}
	ended := make(chan end, 1)
	go func() {
		path, err := f.upload(ctx, o.Agent, o.Upload, v.File)
		ended <- end{path, err}
	}()
	settled, err := finish(v, read)
	if err == nil && (settled.Agent != o.Agent || settled.Upload != o.Upload) {
		err = errUnsettled
	}
	v.File.Settle(err)
	if err != nil { // the agent is told, and lets go of what it has
		defer time.AfterFunc(letGoTime, func() { cancel(err) }).Stop()
		<-ended
		return "", err
	}
	defer time.AfterFunc(settled.Timeout, func() { cancel(context.DeadlineExceeded) }).Stop()
	e := <-ended
	return e.path, e.err
}
