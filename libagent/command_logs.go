package libagent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/jkstack/jkframe/v2/logging"
	"github.com/spf13/cobra"
)

// lookInterval is how often a log that is followed is looked at.
const lookInterval = 250 * time.Millisecond

func (c Command) logsCommand() *cobra.Command {
	var file string
	var follow bool
	var lines int
	cmd := &cobra.Command{
		Use:   "logs",
		Short: "Show the end of the log",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if lines < 0 {
				return fmt.Errorf("--lines %d is negative", lines)
			}
			return failed(c.showLog(cmd.Context(), file, lines, follow))
		},
	}
	withConf(cmd, &file)
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "show new lines as they come, until Ctrl-C")
	cmd.Flags().IntVarP(&lines, "lines", "n", 20, "how many lines")
	return cmd
}

// showLog shows the last lines of the log, and what comes if that is asked for.
func (c Command) showLog(ctx context.Context, file string, lines int, follow bool) error {
	settings, _, err := load(c.App, file)
	if err != nil {
		return err
	}
	config := settings.Basic().Log
	if !slices.Contains(config.Target, logging.TargetFile) {
		return fmt.Errorf("the log goes to standard output: ask what keeps that, as in journalctl -u %s", c.App.Name())
	}
	if config.Dir == "" {
		config.Dir = logging.DefaultDir
	}
	config.Dir = locate(config.Dir, file)
	log, err := logging.NewReader(config)
	if err != nil {
		return err
	}
	return (&logReader{log: log, out: c.Stdout}).show(ctx, lines, follow)
}

// logReader shows the current file of a log.
type logReader struct {
	log  *logging.Reader
	out  io.Writer
	file *os.File // the current one, nil while there is none
}

func (r *logReader) show(ctx context.Context, lines int, follow bool) error {
	defer func() {
		if r.file != nil {
			r.file.Close()
		}
	}()
	if err := r.open(); err != nil {
		return err
	}
	if r.file == nil && !follow {
		return errors.New("there is no log yet")
	}
	if r.file != nil {
		if err := seekLines(r.file, lines); err != nil {
			return err
		}
	}
	for {
		if err := r.copy(); err != nil || !follow {
			return err
		}
		select {
		case <-time.After(lookInterval):
		case <-ctx.Done():
			return nil
		}
		if err := r.next(); err != nil {
			return err
		}
	}
}

// open opens the newest file of the log.
func (r *logReader) open() error {
	files, err := r.log.Files()
	if err != nil || len(files) == 0 {
		return err
	}
	f, err := r.log.OpenFile(files[0].Name)
	if errors.Is(err, os.ErrNotExist) {
		return nil // it was rotated at this moment
	}
	if err != nil {
		return err
	}
	r.file = f
	return nil
}

// next goes on to the file that has taken the place of the one that is read, whose end is shown first.
func (r *logReader) next() error {
	old := r.file
	r.file = nil
	if err := r.open(); err != nil {
		r.file = old
		return err
	}
	if old == nil {
		return nil
	}
	a, errA := old.Stat()
	if r.file == nil {
		r.file = old
		return errA
	}
	b, errB := r.file.Stat()
	if err := errors.Join(errA, errB); err != nil || os.SameFile(a, b) {
		r.file.Close()
		r.file = old
		return err
	}
	_, err := io.Copy(r.out, old)
	return errors.Join(err, old.Close())
}

func (r *logReader) copy() error {
	if r.file == nil {
		return nil
	}
	_, err := io.Copy(r.out, r.file)
	return err
}

// seekLines goes to the beginning of the last n lines of a file.
func seekLines(f *os.File, n int) error {
	at, err := f.Seek(0, io.SeekEnd)
	if err != nil || n == 0 {
		return err
	}
	end := at
	buf := make([]byte, 32<<10)
	for at > 0 {
		size := min(int64(len(buf)), at)
		at -= size
		if _, err := f.ReadAt(buf[:size], at); err != nil {
			return err
		}
		for i := size - 1; i >= 0; i-- {
			if buf[i] != '\n' || at+i == end-1 {
				continue
			}
			if n--; n == 0 {
				_, err := f.Seek(at+i+1, io.SeekStart)
				return err
			}
		}
	}
	_, err = f.Seek(0, io.SeekStart)
	return err
}
