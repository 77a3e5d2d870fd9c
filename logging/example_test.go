package logging_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"

	"github.com/jkstack/jkframe/v2/logging"
)

// A program opens its log, and gives the logger to whatever logs.
func Example() {
	dir, err := os.MkdirTemp("", "logs")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	log, err := logging.Open(logging.Config{
		Target: []string{logging.TargetFile},
		Dir:    dir,
		Name:   "agent",
		Size:   10_000_000,
		Rotate: 7,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	logger := log.Logger().With("component", "conn")
	logger.Info("connected", "server", "10.0.0.1:13081")
	logger.Debug("not at this level")
	logger.Error("read failed", "err", errors.New("connection reset"), "from", "\x1b[31mred\n")
	if err := log.Close(); err != nil {
		fmt.Println(err)
		return
	}

	lines, err := os.ReadFile(filepath.Join(dir, "agent.log"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(withoutTimes(lines))
	// Output:
	// INFO connected component=conn server=10.0.0.1:13081
	// ERROR read failed component=conn err="connection reset" from="\x1b[31mred\n"
}

// withoutTimes leaves what is the same in every run.
func withoutTimes(lines []byte) string {
	return regexp.MustCompile(`(?m)^\S+ \S+ `).ReplaceAllString(string(lines), "")
}

// All that is wrong with a configuration comes back at once.
func ExampleConfig_Validate() {
	cfg := logging.Config{Target: []string{"syslog"}, Size: -1}
	fmt.Println(cfg.Validate())
	// Output:
	// log.target: "syslog" is unknown: use stdout or file
	// log.size: -1 is negative
}

// The level can be changed while the program runs.
func ExampleLog_SetLevel() {
	log, err := logging.Open(logging.Config{Format: logging.FormatJSON})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer log.Close()
	fmt.Println(log.Logger().Enabled(context.Background(), slog.LevelDebug))
	log.SetLevel(slog.LevelDebug)
	fmt.Println(log.Logger().Enabled(context.Background(), slog.LevelDebug))
	// Output:
	// false
	// true
}
