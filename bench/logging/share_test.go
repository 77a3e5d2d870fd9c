package logging_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/logging"
)

// constant is a handler that writes the same line whatever it is given: what slog with any handler cannot be below.
type constant struct {
	write func(int)
}

func (constant) Enabled(context.Context, slog.Level) bool { return true }

func (c constant) Handle(context.Context, slog.Record) error {
	c.write(0)
	return nil
}

func (c constant) WithAttrs([]slog.Attr) slog.Handler { return c }

func (c constant) WithGroup(string) slog.Handler { return c }

// What slog itself takes of a line: alone, with a line that is built already, and our handler without slog before it.
func BenchmarkShare(b *testing.B) {
	for _, p := range []peer{
		{"limit=File.Write", openLimit},
		{"slog-alone", func(testing.TB, string) func(int) {
			return logTo(slog.New(constant{func(int) {}}))
		}},
		{"slog+limit", func(tb testing.TB, dir string) func(int) {
			return logTo(slog.New(constant{openLimit(tb, dir)}))
		}},
		{"jkframe-text-handler", openHandler(logging.Config{})},
		{"jkframe-json-handler", openHandler(logging.Config{Format: logging.FormatJSON})},
		{"jkframe-text", openOurs(logging.Config{})},
		{"jkframe-json", openOurs(logging.Config{Format: logging.FormatJSON})},
	} {
		b.Run(p.name, func(b *testing.B) {
			log := p.open(b, b.TempDir())
			b.ReportAllocs()
			for b.Loop() {
				log(0)
			}
		})
	}
}

// openHandler hands records to the handler that were made without slog's Logger, which looks up who calls it each time.
func openHandler(cfg logging.Config) func(testing.TB, string) func(int) {
	return func(tb testing.TB, dir string) func(int) {
		h := openLog(tb, cfg, dir).Logger().Handler()
		ctx := context.Background()
		return func(i int) {
			r := slog.NewRecord(time.Now(), slog.LevelInfo, message, 0)
			r.AddAttrs(slog.String("method", method), slog.String("path", path), slog.Int("status", status),
				slog.Duration("took", took), slog.Int("size", size+i))
			if err := h.Handle(ctx, r); err != nil {
				tb.Error(err)
			}
		}
	}
}
