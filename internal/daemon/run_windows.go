package daemon

import (
	"context"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows/svc"
)

// Run runs a program as Windows wants its services to, if it was started as one: it reports to the service manager and
// takes its orders. Windows starts a service in a folder of its own, so the program goes to where it belongs.
func Run(ctx context.Context, conf string, run func(ctx context.Context, conf string) error) error {
	is, err := svc.IsWindowsService()
	if err != nil || !is {
		return run(ctx, conf)
	}
	if conf, err = filepath.Abs(conf); err != nil {
		return err
	}
	if err := os.Chdir(Home(conf)); err != nil {
		return err
	}
	h := &serviceHandler{ctx: ctx, run: func(ctx context.Context) error { return run(ctx, conf) }}
	if err := svc.Run("", h); err != nil {
		return err
	}
	return h.err
}

// serviceHandler is a program as the service manager sees it.
type serviceHandler struct {
	ctx context.Context
	run func(ctx context.Context) error
	err error
}

// Execute implements [svc.Handler].
func (h *serviceHandler) Execute(_ []string, orders <-chan svc.ChangeRequest, state chan<- svc.Status) (specific bool, code uint32) {
	ctx, cancel := context.WithCancel(h.ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- h.run(ctx) }()
	state <- svc.Status{State: svc.Running, Accepts: svc.AcceptStop | svc.AcceptShutdown}
	for {
		select {
		case h.err = <-ended:
			if h.err != nil {
				return true, ExitFailed // Windows restarts it
			}
			return false, ExitOK
		case o := <-orders:
			switch o.Cmd {
			case svc.Interrogate:
				state <- o.CurrentStatus
			case svc.Stop, svc.Shutdown:
				state <- svc.Status{State: svc.StopPending, WaitHint: 20_000}
				cancel()
			}
		}
	}
}
