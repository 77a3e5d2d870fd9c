package libagent

import (
	"context"
	"os"
	"os/signal"
	"slices"
	"syscall"
)

// Main makes a program of an app: the commands run, check, config, status, logs, version, install and its like. It ends the
// process, with status 0 when all went well, 1 when it did not, 2 when the command line could not be understood, and 3 when
// status was asked of an agent that does not run.
//
// SIGTERM and SIGINT stop a running agent, a second one ends it at once; SIGHUP has it read its config file and open its
// log files again; SIGQUIT logs the stacks of all goroutines and ends it. When the log is in files, a crash leaves a file
// beside them, which the next start logs and reports to the server. SIGHUP ends the other commands, as it does any program.
func Main(app App) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	context.AfterFunc(ctx, stop) // a second signal kills
	hup := make(chan os.Signal, 1)
	if slices.Contains(os.Args[1:], "run") { // now: a service manager may send it before the config is read
		signal.Notify(hup, syscall.SIGHUP)
	}
	reload := make(chan struct{})
	go func() { // for as long as the process lives
		for range hup {
			reload <- struct{}{}
		}
	}()
	c := Command{App: app, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Reload: reload}
	os.Exit(c.Main(ctx, os.Args[1:]))
}
