package logging

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// Log is an open log. Its methods may be called from several goroutines at once.
type Log struct {
	cfg     Config
	level   slog.LevelVar
	root    *handler
	logger  *slog.Logger
	encoder encoder
	buffers pool
	faults  *faults
	stream  *stream  // TargetStdout, or nil
	file    *file    // TargetFile, or nil
	repeats *repeats // nil when every message is logged

	stop func()         // ends the goroutines
	wait sync.WaitGroup // the goroutines
}

// Open opens the log that cfg describes. It fails when cfg is invalid, with an error that wraps a *FieldError for each wrong
// field. A file that cannot be opened is no reason to fail, since a program should start on a full disk too: it is shown
// on cfg.Stderr, and tried again while there are lines for it; Log.Err tells.
func Open(cfg Config) (*Log, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	l := &Log{cfg: cfg, encoder: encoder{asJSON: cfg.Format == FormatJSON, source: cfg.Source}}
	l.level.Set(cfg.Level)
	l.root = &handler{log: l}
	l.logger = slog.New(l.root)
	l.faults = newFaults(cfg.Stderr)

	done := make(chan struct{})
	l.stop = sync.OnceFunc(func() { close(done) })
	for _, target := range cfg.Target {
		switch {
		case target == TargetStdout && l.stream == nil:
			l.stream = newStream(cfg.Stdout, cfg.Format == FormatText, l.faults, l.gap)
		case target == TargetFile && l.file == nil:
			l.file = newFile(cfg, l.faults, l.gap)
			l.file.start(&l.wait, done)
		}
	}
	if cfg.Repeat > 0 {
		l.repeats = newRepeats(cfg.Repeat)
		l.logger = slog.New(sparing{l.root, l.repeats})
		l.wait.Go(func() { l.repeats.run(done) })
	}
	return l, nil
}

// Logger returns the logger that writes to l.
func (l *Log) Logger() *slog.Logger { return l.logger }

// Level returns the lowest level that is logged.
func (l *Log) Level() slog.Level { return l.level.Level() }

// SetLevel changes the lowest level that is logged, at once and for every logger of l.
func (l *Log) SetLevel(level slog.Level) { l.level.Set(level) }

// gap renders the line that stands where lines are missing.
func (l *Log) gap(lost uint64, since time.Time, cause error) []byte {
	r := slog.NewRecord(time.Now(), slog.LevelWarn, "lines of this log are missing here", 0)
	r.AddAttrs(slog.Uint64("lost", lost), slog.Time("since", since), slog.Any("cause", cause))
	return l.encoder.line(nil, &scope{}, &r)
}

// Flush writes what waits in the buffer to the file.
func (l *Log) Flush() {
	if l.file != nil {
		l.file.flush()
	}
}

// LogPanic is for "defer log.LogPanic()" at the top of a goroutine: when it panics, the panic is logged with its stack,
// whatever the level, the buffer is written, and the panic goes on.
func (l *Log) LogPanic() {
	p := recover()
	if p == nil {
		return
	}
	err, ok := p.(error)
	if !ok {
		err = panicError{p}
	}
	r := slog.NewRecord(time.Now(), slog.LevelError, "panic", 0)
	r.AddAttrs(slog.Any("panic", WithStack(err)))
	_ = l.root.Handle(context.Background(), r) // it has no error
	l.Flush()
	panic(p)
}

// Reopen closes the log's file and opens it again, after somebody has moved it: what is logged from then on goes to the
// file of the log's name. When it cannot be opened, the error says why, and the log goes on as after any fault.
func (l *Log) Reopen() error {
	if l.file == nil {
		return nil
	}
	return l.file.reopen()
}

// Err returns what keeps the log from doing all of its work now: nil, or an error that joins every fault of the moment. A
// fault is noticed, and its end too, when there is a line to write.
func (l *Log) Err() error { return l.faults.err() }

// Stats are counts since Open.
type Stats struct {
	Lost      uint64 // lines that the file or standard output did not take
	Repeated  uint64 // messages that were counted instead of logged
	Rotations uint64 // files rotated because of their size
	Faults    uint64 // operations that failed
}

// Stats returns what happened to the log so far.
func (l *Log) Stats() Stats {
	s := Stats{Faults: l.faults.total()}
	if l.file != nil {
		l.file.addStats(&s)
	}
	if l.stream != nil {
		l.stream.addStats(&s)
	}
	if l.repeats != nil {
		s.Repeated = l.repeats.total()
	}
	return s
}

// Close writes what waits, ends the work in the background and closes the file. Lines that are logged afterwards are
// dropped. Closing again does nothing.
func (l *Log) Close() error {
	if l.repeats != nil {
		l.repeats.flush()
	}
	l.stop()
	l.wait.Wait()
	var errs []error
	if l.file != nil {
		errs = append(errs, l.file.close())
	}
	if l.stream != nil {
		errs = append(errs, l.stream.close())
	}
	errs = append(errs, l.faults.close())
	return errors.Join(errs...)
}
