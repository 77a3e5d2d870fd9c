package smart

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"time"

	"github.com/jkstack/jkframe/v2/server/exec"
	"github.com/jkstack/jkframe/v2/server/form"
)

const (
	// maxCallbacks is how many callbacks are under way at the same time; those beyond wait for their turn.
	maxCallbacks = 32

	// callbackTime is how long one attempt may take, callbackTries how many there are, callbackPause the time before the second;
	// it doubles.
	callbackTime  = 30 * time.Second
	callbackTries = 3
	callbackPause = 2 * time.Second
)

// callbackTo reads the address that is to be asked when a command has ended, nil for none.
func (d *Dialect) callbackTo(address string) (*url.URL, error) {
	if address == "" {
		return nil, nil
	}
	u, err := d.callbacks.Check(address)
	if err != nil {
		return nil, form.Bad("callback: %v", err)
	}
	return u, nil
}

// callBack asks an address once a command has ended. It is given up when the server stops.
func (d *Dialect) callBack(u *url.URL, t *exec.Task) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	q := u.Query()
	q.Set("agent_id", t.Agent.ID)
	q.Set("pid", strconv.Itoa(t.State().PID))
	to := *u
	to.RawQuery = q.Encode()
	d.calling.Go(func() {
		select {
		case <-t.Done():
		case <-d.ctx.Done():
			return
		}
		select {
		case d.places <- struct{}{}:
			defer func() { <-d.places }()
		case <-d.ctx.Done():
			return
		}
		pause := callbackPause
		for try := 1; d.ask(&to) != nil && try < callbackTries; try++ {
			select {
			case <-time.After(pause):
				pause *= 2
			case <-d.ctx.Done():
				return
			}
		}
	})
}

func (d *Dialect) ask(u *url.URL) error {
	ctx, cancel := context.WithTimeout(d.ctx, callbackTime)
	defer cancel()
	resp, err := d.callbacks.Get(ctx, u)
	if err != nil {
		return fmt.Errorf("callback: %w", err)
	}
	defer resp.Body.Close()
	_, err = io.CopyN(io.Discard, resp.Body, 4<<10) // so that the connection can be used again
	if err == io.EOF {
		err = nil
	}
	return err
}
