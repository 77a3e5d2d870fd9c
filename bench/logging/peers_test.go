package logging_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/DeRuina/timberjack"
	"github.com/jkstack/jkframe/v2/logging"
	phuslu "github.com/phuslu/log"
	"github.com/rs/zerolog"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"gopkg.in/natefinch/lumberjack.v2"
)

const (
	fileMB   = 10 // what lumberjack and timberjack call a megabyte is 1<<20 bytes
	fileSize = fileMB << 20
	keep     = 7
)

// The line that everybody writes.
const (
	message = "request handled"
	method  = "GET"
	path    = "/api/agents/agent-20261120-0123456789abcdef"
	status  = 200
	took    = 12_345 * time.Microsecond
	size    = 5123
)

// A peer logs the line with the number i in it.
type peer struct {
	name string
	open func(tb testing.TB, dir string) func(i int)
}

var peers = []peer{
	{"limit=File.Write", openLimit},
	{"jkframe-text", openOurs(logging.Config{})},
	{"jkframe-json", openOurs(logging.Config{Format: logging.FormatJSON})},
	{"phuslu", openPhuslu},
	{"zerolog+lumberjack", openZerolog},
	{"zap+lumberjack", openZap},
	{"slogtext+lumberjack", func(tb testing.TB, dir string) func(int) {
		return logTo(slog.New(slog.NewTextHandler(newLumberjack(tb, dir), nil)))
	}},
	{"slogjson+lumberjack", func(tb testing.TB, dir string) func(int) {
		return logTo(slog.New(slog.NewJSONHandler(newLumberjack(tb, dir), nil)))
	}},
	{"slogjson+timberjack", func(tb testing.TB, dir string) func(int) {
		w := &timberjack.Logger{Filename: filepath.Join(dir, "bench.log"), MaxSize: fileMB, MaxBackups: keep}
		tb.Cleanup(func() { w.Close() })
		return logTo(slog.New(slog.NewJSONHandler(w, nil)))
	}},
	{"jkframe-text-buffered", openOurs(logging.Config{Buffer: 64 << 10})},
	{"jkframe-json-buffered", openOurs(logging.Config{Format: logging.FormatJSON, Buffer: 64 << 10})},
}

// openLimit appends a line that is built already to one file that is never rotated: what writes each line at once cannot be
// faster.
func openLimit(tb testing.TB, dir string) func(int) {
	f, err := os.OpenFile(filepath.Join(dir, "bench.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o640)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { f.Close() })
	line := []byte("2026-11-20 10:00:00.000 INFO " + message + " method=" + method + " path=" + path +
		" status=200 took=12.345ms size=5123\n")
	return func(int) {
		if _, err := f.Write(line); err != nil {
			tb.Error(err)
		}
	}
}

func openOurs(cfg logging.Config) func(testing.TB, string) func(int) {
	return func(tb testing.TB, dir string) func(int) { return logTo(openLog(tb, cfg, dir).Logger()) }
}

func openLog(tb testing.TB, cfg logging.Config, dir string) *logging.Log {
	cfg.Target, cfg.Dir, cfg.Name = []string{logging.TargetFile}, dir, "bench"
	cfg.Size, cfg.Rotate = fileSize, keep
	l, err := logging.Open(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := l.Close(); err != nil || l.Stats().Lost > 0 {
			tb.Errorf("close: %v, %+v", err, l.Stats())
		}
	})
	return l
}

// logTo is how slog is called when it shall be fast.
func logTo(l *slog.Logger) func(int) {
	ctx := context.Background()
	return func(i int) {
		l.LogAttrs(ctx, slog.LevelInfo, message, slog.String("method", method), slog.String("path", path),
			slog.Int("status", status), slog.Duration("took", took), slog.Int("size", size+i))
	}
}

func newLumberjack(tb testing.TB, dir string) *lumberjack.Logger {
	w := &lumberjack.Logger{Filename: filepath.Join(dir, "bench.log"), MaxSize: fileMB, MaxBackups: keep}
	tb.Cleanup(func() { w.Close() })
	return w
}

func openZerolog(tb testing.TB, dir string) func(int) {
	zerolog.TimeFieldFormat = "2006-01-02T15:04:05.000Z07:00"
	l := zerolog.New(newLumberjack(tb, dir)).With().Timestamp().Logger()
	return func(i int) {
		l.Info().Str("method", method).Str("path", path).Int("status", status).Dur("took", took).Int("size", size+i).Msg(message)
	}
}

func openZap(tb testing.TB, dir string) func(int) {
	cfg := zap.NewProductionEncoderConfig()
	cfg.EncodeTime = zapcore.ISO8601TimeEncoder
	l := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(cfg), zapcore.AddSync(newLumberjack(tb, dir)), zap.InfoLevel))
	return func(i int) {
		l.Info(message, zap.String("method", method), zap.String("path", path), zap.Int("status", status),
			zap.Duration("took", took), zap.Int("size", size+i))
	}
}

func openPhuslu(tb testing.TB, dir string) func(int) {
	w := &phuslu.FileWriter{Filename: filepath.Join(dir, "bench.log"), MaxSize: fileSize, MaxBackups: keep}
	tb.Cleanup(func() { w.Close() })
	l := phuslu.Logger{Level: phuslu.InfoLevel, Writer: w}
	return func(i int) {
		l.Info().Str("method", method).Str("path", path).Int("status", status).Dur("took", took).Int("size", size+i).Msg(message)
	}
}
