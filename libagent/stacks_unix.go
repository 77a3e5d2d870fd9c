//go:build unix

package libagent

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// stackTime is how long an agent that is told to dump its stacks may take to log them: the log may be what it hangs on.
const stackTime = 2 * time.Second

// watchQuit has SIGQUIT log the stacks of all goroutines before it does what it does to every Go program: stacks to standard
// error, and here to the crash file too, and exit status 2. It returns what ends that.
func (ag *Agent) watchQuit() (end func()) {
	quit, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(quit, syscall.SIGQUIT)
	var wg sync.WaitGroup
	wg.Go(func() {
		select {
		case <-quit:
		case <-done:
			return
		}
		logged := make(chan struct{})
		go func() { // the process ends with it
			defer close(logged)
			ag.logStacks()
		}()
		select {
		case <-logged:
		case <-time.After(stackTime):
		}
		signal.Reset(syscall.SIGQUIT)
		_ = syscall.Kill(os.Getpid(), syscall.SIGQUIT)
		<-done
	})
	return func() {
		signal.Stop(quit)
		close(done)
		wg.Wait()
	}
}
