package logging

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// What Config.Target may hold.
const (
	TargetStdout = "stdout"
	TargetFile   = "file"
)

// What Config.Format may be.
const (
	FormatText = "text"
	FormatJSON = "json"
)

// What Config.RotateBy may be.
const (
	RotateBySize = "size"
	RotateByDate = "date"
)

// Defaults of Config's fields.
const (
	DefaultDir    = "logs"
	DefaultSize   = 10_000_000
	DefaultRotate = 7
	DefaultFlush  = time.Second
)

// maxBuffer bounds Config.Buffer: what waits there is lost with the process.
const maxBuffer = 64 << 20

// Config says where lines go and how. The zero value logs as text, from level info on, to standard output. The tags make
// it a section of a configuration file (log.target, log.dir, …); a field that is empty or 0 there means its default.
type Config struct {
	// Target lists where lines go: TargetStdout, TargetFile or both. By default, TargetStdout.
	Target []string `kv:"target" desc:"where lines go: stdout, file or both"`

	// Dir is the folder of the log's files; it is made when it is missing. A relative path is taken from the working
	// directory at Open. By default, DefaultDir.
	Dir string `kv:"dir,expand" desc:"folder of the log's files"`

	// Size is how many bytes a file may have before it is rotated; only a line that is longer makes it larger. It holds for
	// RotateByDate too. By default, DefaultSize.
	Size int64 `kv:"size,bytes" desc:"size at which a file is rotated"`

	// Rotate is how many rotated files are kept beside the current one. By default, DefaultRotate.
	Rotate int `kv:"rotate" desc:"how many rotated files are kept"`

	// RotateBy is RotateBySize (NAME.log, NAME.log.1, …) or RotateByDate (NAME_20060102.log, a file for every day of the
	// local time zone). By default, RotateBySize.
	RotateBy string `kv:"rotate_by" desc:"size, or date for a file a day"`

	// Age is how long a rotated file is kept after its last line; looked at when the log is opened, at each rotation
	// and every hour. By default, there is no bound.
	Age time.Duration `kv:"age" desc:"how long a rotated file is kept, 0 for as long as their number allows"`

	// Compress says whether rotated files are compressed with gzip, in the background. By default, they are not.
	Compress bool `kv:"compress" desc:"compress rotated files with gzip"`

	// Level is the lowest level that is logged; the text is debug, info, warn or error in any case, or an offset such as
	// INFO+2. By default, slog.LevelInfo.
	Level slog.Level `kv:"level" desc:"lowest level that is logged: debug, info, warn or error"`

	// Format is the layout of lines: FormatText or FormatJSON. By default, FormatText.
	Format string `kv:"format" desc:"layout of lines: text or json"`

	// Source says whether lines carry the file and the line of the call. By default, they do not.
	Source bool `kv:"source" desc:"show the file and line of each call"`

	// Buffer is how many bytes of lines may wait in memory before they are written to the file. It makes logging faster,
	// and a killed process loses what waited. It is written when it is full, after Flush, with every line of level error
	// and above, and by Log.Flush, Log.Close and Log.LogPanic. At most 64 MiB. By default, every line is written at once.
	Buffer int64 `kv:"buffer,bytes" desc:"bytes of lines that may wait in memory, 0 to write every line at once"`

	// Flush is how long a line may wait in the buffer. By default, DefaultFlush.
	Flush time.Duration `kv:"flush" desc:"how long a line may wait in the buffer"`

	// Repeat is how long a message is not logged again at the same level, whatever its attributes: the first is logged,
	// the others are counted, and when the time is over one line says how many there were. By default, every message
	// is logged.
	Repeat time.Duration `kv:"repeat" desc:"time in which a repeated message is counted instead of logged, 0 for never"`

	// Name is the base name of the files. By default, the name of the executable.
	Name string `kv:"-"`

	// Stdout is TargetStdout. Lines of text are coloured when it is a terminal and the environment does not say NO_COLOR. By default, os.Stdout.
	Stdout io.Writer `kv:"-"`

	// Stderr is where faults of the log itself are shown. By default, os.Stderr.
	Stderr io.Writer `kv:"-"`

	now func() time.Time // the date of files; time.Now but for tests
}

// FieldError says which field of a Config is wrong.
type FieldError struct {
	Field string // the key within the section, such as "target"
	Err   error
}

func (e *FieldError) Error() string { return "log." + e.Field + ": " + e.Err.Error() }

func (e *FieldError) Unwrap() error { return e.Err }

// Validate reports all that is wrong with c: nil, or an error that wraps a *FieldError for each field. It does not look at
// the disk.
func (c Config) Validate() error {
	_, err := c.complete()
	return err
}

// WithDefaults returns c with the defaults in the place of what is not set. A config that [Open] refuses is returned as it is.
func (c Config) WithDefaults() Config {
	full, err := c.complete()
	if err != nil {
		return c
	}
	if c.Dir == "" {
		c.Dir = DefaultDir
	}
	c.Target, c.RotateBy, c.Format = full.Target, full.RotateBy, full.Format
	c.Size, c.Rotate, c.Age, c.Buffer, c.Flush, c.Repeat = full.Size, full.Rotate, full.Age, full.Buffer, full.Flush, full.Repeat
	return c
}

// complete returns c with its defaults, or all that is wrong with it.
func (c Config) complete() (Config, error) {
	var w wrong
	var targets []string
	for _, t := range c.Target {
		if strings.TrimSpace(t) != "" { // "stdout," is stdout
			targets = append(targets, choose(&w, "target", t, TargetStdout, TargetFile))
		}
	}
	if len(targets) == 0 {
		targets = []string{TargetStdout}
	}
	c.Target = targets
	c.RotateBy = choose(&w, "rotate_by", c.RotateBy, RotateBySize, RotateByDate)
	c.Format = choose(&w, "format", c.Format, FormatText, FormatJSON)

	c.Size = orDefault(&w, "size", c.Size, DefaultSize)
	c.Rotate = orDefault(&w, "rotate", c.Rotate, DefaultRotate)
	c.Age = orDefault(&w, "age", c.Age, 0)
	c.Buffer = orDefault(&w, "buffer", c.Buffer, 0)
	c.Flush = orDefault(&w, "flush", c.Flush, DefaultFlush)
	c.Repeat = orDefault(&w, "repeat", c.Repeat, 0)
	if c.Buffer > maxBuffer {
		w.add("buffer", "%d is more than %d bytes", c.Buffer, maxBuffer)
	}

	if c.Name == "" && len(os.Args) > 0 {
		c.Name = strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
	}
	if err := checkName(c.Name); err != nil {
		w.add("name", "%q %w", c.Name, err)
	}
	if c.Dir == "" {
		c.Dir = DefaultDir
	}
	if strings.ContainsRune(c.Dir, 0) {
		w.add("dir", "%q holds a NUL", c.Dir)
	} else if dir, err := filepath.Abs(c.Dir); err != nil {
		w.add("dir", "%w", err)
	} else {
		c.Dir = dir
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.Stdout == nil {
		c.Stdout = os.Stdout
	}
	if c.Stderr == nil {
		c.Stderr = os.Stderr
	}
	return c, errors.Join(w...)
}

// wrong collects what is wrong with a Config.
type wrong []error

func (w *wrong) add(field, format string, args ...any) {
	*w = append(*w, &FieldError{Field: field, Err: fmt.Errorf(format, args...)})
}

// choose returns the one of the values that is written in value, in any case; the first when value is empty.
func choose(w *wrong, field, value string, values ...string) string {
	v := strings.ToLower(strings.TrimSpace(value))
	if v == "" {
		return values[0]
	}
	if !slices.Contains(values, v) {
		w.add(field, "%q is unknown: use %s", value, strings.Join(values, " or "))
	}
	return v
}

// orDefault returns value, or def when value is 0.
func orDefault[T int | int64 | time.Duration](w *wrong, field string, value, def T) T {
	if value < 0 {
		w.add(field, "%v is negative", value)
	}
	if value == 0 {
		return def
	}
	return value
}

// checkName says why name cannot be the base name of files on any of the systems.
func checkName(name string) error {
	switch {
	case !utf8.ValidString(name):
		return errors.New("is not UTF-8")
	case len(name) > 200:
		return errors.New("is longer than 200 bytes")
	case strings.ContainsFunc(name, func(r rune) bool { return !printable(r) || strings.ContainsRune(`/\:*?"<>|`, r) }):
		return errors.New("holds a character that a file name cannot have")
	case strings.HasPrefix(name, "."), strings.HasPrefix(name, " "):
		return errors.New("begins with a dot or a blank")
	case dated(name):
		// NAME.log would pass for a day of the log without the date.
		return errors.New("ends in a date")
	}
	return nil
}
