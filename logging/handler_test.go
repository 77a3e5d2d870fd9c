package logging_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"regexp"
	"strings"
	"testing"
	"testing/slogtest"
	"time"

	"github.com/jkstack/jkframe/v2/logging"
)

// Libraries that log through slog find a handler that keeps slog's rules.
func TestSlogRulesJSON(t *testing.T) {
	var out bytes.Buffer
	l := open(t, logging.Config{Format: logging.FormatJSON, Stdout: &out})
	results := func() (lines []map[string]any) {
		for line := range strings.Lines(out.String()) {
			var m map[string]any
			if err := json.Unmarshal([]byte(line), &m); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			lines = append(lines, m)
		}
		return lines
	}
	if err := slogtest.TestHandler(l.Logger().Handler(), results); err != nil {
		t.Error(err)
	}
}

func TestSlogRulesText(t *testing.T) {
	var out bytes.Buffer
	l := open(t, logging.Config{Stdout: &out})
	slogtest.Run(t, func(*testing.T) slog.Handler {
		out.Reset()
		return l.Logger().Handler()
	}, func(t *testing.T) map[string]any {
		line := out.String()
		m := map[string]any{}
		if line[0] >= '0' && line[0] <= '9' {
			m[slog.TimeKey] = line[:23]
		} else {
			line = "2006-01-02 15:04:05.000 " + line
		}
		parsed := parseText(t, line)
		m[slog.LevelKey], m[slog.MessageKey] = parsed.level, parsed.message
		for _, a := range parsed.attrs {
			at := m
			path := strings.Split(a[0], ".")
			for _, group := range path[:len(path)-1] {
				if at[group] == nil {
					at[group] = map[string]any{}
				}
				at = at[group].(map[string]any)
			}
			at[path[len(path)-1]] = a[1]
		}
		return m
	})
}

type (
	panics   struct{}
	pointer  struct{ s *string }
	valuer   struct{ v slog.Value }
	marshals struct {
		json string
		err  error
	}
)

func (panics) Error() string                     { panic("boom") }
func (p *pointer) String() string                { return *p.s }
func (v valuer) LogValue() slog.Value            { return v.v }
func (m marshals) MarshalJSON() ([]byte, error)  { return []byte(m.json), m.err }
func (m marshals) MarshalText() ([]byte, error)  { return []byte(m.json), m.err }
func (m marshals) Format(s fmt.State, verb rune) { fmt.Fprintf(s, "formatted %c", verb) }

// Values come out as a reader expects, and what a program does wrong with them is shown and harms nothing.
func TestValues(t *testing.T) {
	at := time.Date(2026, 11, 20, 10, 0, 0, 123_456_789, time.FixedZone("", 8*3600))
	for _, c := range []struct {
		value      any
		text, json string
	}{
		{"plain", "plain", `"plain"`},
		{"", `""`, `""`},
		{-42, "-42", "-42"},
		{uint64(math.MaxUint64), "18446744073709551615", "18446744073709551615"},
		{1.5, "1.5", "1.5"},
		{1e300, "1e+300", "1e+300"},
		{math.NaN(), "NaN", `"NaN"`},
		{math.Inf(-1), "-Inf", `"-Inf"`},
		{true, "true", "true"},
		{1500 * time.Millisecond, "1.5s", "1500000000"},
		{at, "2026-11-20T10:00:00.123+08:00", `"2026-11-20T10:00:00.123456789+08:00"`},
		{nil, "<nil>", "null"},
		{[]byte("raw bytes"), `"raw bytes"`, `"cmF3IGJ5dGVz"`},
		{[]int{1, 2}, `"[1 2]"`, "[1,2]"},
		{struct{ A, B string }{"x", "<&>"}, `"{A:x B:<&>}"`, `{"A":"x","B":"<&>"}`},
		{errors.New("no way"), `"no way"`, `"no way"`},
		{slog.LevelWarn, "WARN", `"WARN"`},
		{valuer{slog.StringValue("resolved")}, "resolved", `"resolved"`},
		{panics{}, `"!PANIC: boom"`, `"!PANIC: boom"`},
		{(*marshals)(nil), "<nil>", "null"},
		{(*pointer)(nil), "<nil>", "null"},
		{marshals{json: `{"a": "\u001b"}`}, `"{\"a\": \"\\u001b\"}"`, `{"a":"\u001b"}`},
		{marshals{json: "[\"\u202e\xff\"]"}, `"[\"\u202e\xff\"]"`, `["\u202e\ufffd"]`},
		{marshals{err: errors.New("not today")}, `"!ERROR:not today"`,
			`"!ERROR:json: error calling MarshalJSON for type logging_test.marshals: not today"`},
		{make(chan int), "", `"!ERROR:json: unsupported type: chan int"`},
	} {
		if c.text != "" {
			line := logLine(t, logging.Config{}, func(l *slog.Logger) { l.Info("m", "v", c.value) })
			checkLine(t, line)
			if _, got, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " INFO m v="); got != c.text {
				t.Errorf("text of %T: %s, want %s", c.value, got, c.text)
			}
		}
		line := logLine(t, logging.Config{Format: logging.FormatJSON}, func(l *slog.Logger) { l.Info("m", "v", c.value) })
		checkLine(t, line)
		if _, got, _ := strings.Cut(strings.TrimSuffix(line, "}\n"), `"msg":"m","v":`); got != c.json {
			t.Errorf("JSON of %T: %s, want %s", c.value, got, c.json)
		}
	}
}

// The layouts are as documented, to the byte: programs of operators read them.
func TestLayouts(t *testing.T) {
	at := time.Date(2026, 11, 20, 10, 0, 0, 7_008_009, time.Local)
	record := slog.NewRecord(at, slog.LevelError+1, "disk is full", 0)
	record.Add("path", "/var/log", "group", slog.GroupValue(slog.Int("n", 1), slog.Group("empty"), slog.Group("", slog.Int("inline", 2))))
	call := func(l *slog.Logger) {
		h := l.With("a", 1).WithGroup("req").With(slog.Group("nothing")).WithGroup("deep").With("id", "x y").Handler()
		if err := h.Handle(context.Background(), record.Clone()); err != nil {
			t.Error(err)
		}
	}
	want := `2026-11-20 10:00:00.007 ERROR+1 disk is full a=1 req.deep.id="x y" req.deep.path=/var/log req.deep.group.n=1 req.deep.group.inline=2` + "\n"
	if got := logLine(t, logging.Config{}, call); got != want {
		t.Errorf("text:\n%swant:\n%s", got, want)
	}
	want = `{"time":"2026-11-20T10:00:00.007008` + at.Format("Z07:00") + `","level":"ERROR+1","msg":"disk is full","a":1,` +
		`"req":{"deep":{"id":"x y","path":"/var/log","group":{"n":1,"inline":2}}}}` + "\n"
	if got := logLine(t, logging.Config{Format: logging.FormatJSON}, call); got != want {
		t.Errorf("JSON:\n%swant:\n%s", got, want)
	}
}

// Loggers that were made from one another do not write into each other's attributes.
func TestWithIsIndependent(t *testing.T) {
	for _, format := range []string{logging.FormatText, logging.FormatJSON} {
		got := logLine(t, logging.Config{Format: format}, func(l *slog.Logger) {
			base := l.With("a", 1).WithGroup("g")
			b, c := base.With("b", 2), base.With("c", 3)
			b.WithGroup("x").With("d", 4)
			b.Info("b")
			c.Info("c")
			base.Info("base")
		})
		lines := strings.SplitAfter(got, "\n")
		for i, no := range []string{`[cd]"?[:=]`, `[bd]"?[:=]`, `[bcd]"?[:=]`} {
			if regexp.MustCompile(`[ ",.{]` + no + `[234]`).MatchString(lines[i]) {
				t.Errorf("%s: %s has an attribute of another logger", format, lines[i])
			}
		}
	}
}

// The level can be changed while the program runs, for all its loggers.
func TestSetLevel(t *testing.T) {
	var out bytes.Buffer
	l := open(t, logging.Config{Level: slog.LevelWarn, Stdout: &out})
	child := l.Logger().With("child", true)
	child.Info("hidden")
	l.SetLevel(slog.LevelDebug)
	child.Debug("shown")
	if l.Level() != slog.LevelDebug || strings.Contains(out.String(), "hidden") || !strings.Contains(out.String(), "shown") {
		t.Errorf("level %v: %s", l.Level(), &out)
	}
}

// Config.Source says where the call is.
func TestSource(t *testing.T) {
	for format, want := range map[string]string{
		logging.FormatText: ` INFO m source=logging/handler_test\.go:\d+ a=1\n$`,
		logging.FormatJSON: `"msg":"m","source":"logging/handler_test\.go:\d+","a":1}\n$`,
	} {
		got := logLine(t, logging.Config{Format: format, Source: true}, func(l *slog.Logger) { l.Info("m", "a", 1) })
		if !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%s: %s", format, got)
		}
	}
}

func fails() error { return logging.WithStack(io.ErrUnexpectedEOF) }

// An error shows where it was made, in the same line, however it is wrapped.
func TestStack(t *testing.T) {
	err := fmt.Errorf("read config: %w", errors.Join(io.EOF, fails()))
	if !errors.Is(err, io.ErrUnexpectedEOF) || err.Error() != "read config: EOF\nunexpected EOF" {
		t.Errorf("the stack changes the error: %v", err)
	}
	if again := logging.WithStack(err); again != err {
		t.Error("an error got a second stack")
	}
	if logging.WithStack(nil) != nil {
		t.Error("no error became one")
	}
	for format, want := range map[string]string{
		logging.FormatText: `err="read config: EOF\\nunexpected EOF" err\.stack="logging_test\.fails \(handler_test\.go:\d+\) < logging_test\.TestStack \(handler_test\.go:\d+\) < [^"]*"\n$`,
		logging.FormatJSON: `"err":"read config: EOF\\nunexpected EOF","err\.stack":\["logging_test\.fails \(handler_test\.go:\d+\)","logging_test\.TestStack \(handler_test\.go:\d+\)",[^]]*\]}\n$`,
	} {
		got := logLine(t, logging.Config{Format: format}, func(l *slog.Logger) { l.Error("failed", "err", err) })
		if !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%s: %s", format, got)
		}
	}
}

// A program that logs a lot does not make work for the garbage collector.
func TestNoAllocations(t *testing.T) {
	ctx := context.Background()
	for name, cfg := range map[string]logging.Config{
		"text":     {},
		"json":     {Format: logging.FormatJSON},
		"buffered": {Buffer: 64 << 10},
		"by date":  {RotateBy: logging.RotateByDate},
	} {
		cfg.Target, cfg.Dir, cfg.Name = []string{"file"}, t.TempDir(), "agent"
		cfg.Size = 1 << 30 // a rotation allocates
		l := open(t, cfg)
		logger := l.Logger().With("agent", "a1")
		allocs := testing.AllocsPerRun(1000, func() {
			logger.LogAttrs(ctx, slog.LevelInfo, "request handled", slog.String("method", "GET"), slog.Int("status", 200),
				slog.Duration("took", 12345*time.Microsecond), slog.Bool("cached", false), slog.Float64("load", 0.75))
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations a line", name, allocs)
		}
	}
}
