package logging_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/jkstack/jkframe/v2/logging"
)

// logLine returns the line that one call makes.
func logLine(t *testing.T, cfg logging.Config, call func(*slog.Logger)) string {
	t.Helper()
	var out, faults bytes.Buffer
	cfg.Stdout, cfg.Stderr = &out, &faults
	l, err := logging.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	call(l.Logger())
	if err := l.Close(); err != nil || faults.Len() > 0 {
		t.Fatalf("close: %v, faults: %s", err, &faults)
	}
	return out.String()
}

// checkLine fails when a line could fool a reader or a terminal.
func checkLine(t *testing.T, line string) {
	t.Helper()
	body, ok := strings.CutSuffix(line, "\n")
	if !ok || !utf8.ValidString(line) {
		t.Fatalf("no whole line of UTF-8: %q", line)
	}
	for _, r := range body {
		if unicode.Is(unicode.C, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) {
			t.Fatalf("%U in %q", r, line)
		}
	}
}

type textLine struct {
	level, message string
	attrs          [][2]string
}

// parseText takes a line of text apart as a careful reader does, without knowing what was logged.
func parseText(t *testing.T, line string) (l textLine) {
	t.Helper()
	const stamp = len("2006-01-02 15:04:05.000 ")
	if len(line) < stamp {
		t.Fatalf("no time in %q", line)
	}
	var ok bool
	l.level, line, ok = strings.Cut(strings.TrimSuffix(line[stamp:], "\n"), " ")
	if !ok {
		t.Fatalf("no message in %q", line)
	}
	unquote := func() (s string, quoted bool) {
		q, err := strconv.QuotedPrefix(line)
		if err != nil || q[0] != '"' {
			return "", false
		}
		s, err = strconv.Unquote(q)
		if err != nil {
			t.Fatalf("%s in %q: %v", q, line, err)
		}
		line = line[len(q):]
		return s, true
	}
	if s, quoted := unquote(); quoted {
		l.message = s
	} else {
		end := len(line)
		for i := range line {
			if line[i] == ' ' && (strings.HasPrefix(line[i+1:], `"`) || strings.Contains(strings.SplitN(line[i+1:], " ", 2)[0], "=")) {
				end = i
				break
			}
		}
		l.message, line = line[:end], line[end:]
	}
	for line != "" {
		if line, ok = strings.CutPrefix(line, " "); !ok {
			t.Fatalf("no blank before %q", line)
		}
		key, quoted := unquote()
		if quoted {
			if line, ok = strings.CutPrefix(line, "="); !ok {
				t.Fatalf("no = before %q", line)
			}
		} else if key, line, ok = strings.Cut(line, "="); !ok {
			t.Fatalf("no = after %q", key)
		}
		value, quoted := unquote()
		if !quoted {
			value, line = line[:strings.IndexByte(line+" ", ' ')], line[min(len(line), strings.IndexByte(line+" ", ' ')):]
		}
		l.attrs = append(l.attrs, [2]string{key, value})
	}
	return l
}

// hostile are texts that an agent may get from somebody else, and that it logs.
var hostile = []string{
	"", " ", "plain", "two words", "a=b", `say "hi"`, `C:\temp`, "end ", "line\nINFO faked admin=true", "cr\rover",
	"tab\there", "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x9b31m", "\u202egnp.exe", "\u2066\u2069", "\u200b", "\ufeffbom",
	"\u2028\u2029", "bad \xff\xfe utf-8", "\xc3", "nul\x00", "\x7f", "日志 一行", "emoji 👩‍👧", "\U000e0041tag", "\ufffd", "=", "\"",
	"msg \"a b\"=1", strings.Repeat("x", 3000),
}

// Whatever is logged, a line is one line, harmless on a terminal, and a reader gets back every byte of it.
func FuzzTextLine(f *testing.F) {
	for i, s := range hostile {
		f.Add(s, hostile[(i+1)%len(hostile)], hostile[(i+2)%len(hostile)], "group")
	}
	f.Fuzz(func(t *testing.T, message, key, value, group string) {
		line := logLine(t, logging.Config{}, func(l *slog.Logger) {
			l.With(key, value).WithGroup(group).LogAttrs(context.Background(), slog.LevelWarn, message,
				slog.String(key, value), slog.Any("any", []byte(value)))
		})
		checkLine(t, line)
		prefix := ""
		if group != "" {
			prefix = group + "."
		}
		want := textLine{"WARN", message, [][2]string{{key, value}, {prefix + key, value}, {prefix + "any", value}}}
		got := parseText(t, line)
		if got.level != want.level || got.message != want.message || len(got.attrs) != len(want.attrs) {
			t.Fatalf("%q: got %q, want %q", line, got, want)
		}
		for i := range want.attrs {
			if got.attrs[i] != want.attrs[i] {
				t.Errorf("%q: got %q, want %q", line, got.attrs[i], want.attrs[i])
			}
		}
	})
}

// The same for JSON, where a byte that is no UTF-8 becomes U+FFFD.
func FuzzJSONLine(f *testing.F) {
	for i, s := range hostile {
		f.Add(s, hostile[(i+1)%len(hostile)], hostile[(i+2)%len(hostile)])
	}
	f.Fuzz(func(t *testing.T, message, key, value string) {
		line := logLine(t, logging.Config{Format: logging.FormatJSON}, func(l *slog.Logger) {
			l.With("with", value).WithGroup("g").Warn(message, key, value, "error", errText(value), "list", []string{value})
		})
		checkLine(t, line)
		var got struct {
			Level, Msg, With string
			G                map[string]any
		}
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		clean := func(s string) string { return string([]rune(s)) }
		if got.Msg != clean(message) || got.Level != "WARN" || got.With != clean(value) {
			t.Errorf("%q: message %q, level %q, with %q", line, got.Msg, got.Level, got.With)
		}
		if k := clean(key); k != "error" && k != "list" {
			if v := got.G[k]; v != clean(value) {
				t.Errorf("%q: %q is %q", line, k, v)
			}
		}
		if v := got.G["error"]; key != "error" && v != clean(value) {
			t.Errorf("%q: error is %q", line, v)
		}
		if v, ok := got.G["list"].([]any); key != "list" && (!ok || len(v) != 1 || v[0] != clean(value)) {
			t.Errorf("%q: list is %q", line, v)
		}
	})
}

type errText string

func (e errText) Error() string { return string(e) }
