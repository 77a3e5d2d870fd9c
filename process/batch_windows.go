package process

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
)

// isBatch says whether a program is a batch file, which the system gives to cmd. It leaves out blanks and dots at the end of a name.
func isBatch(path string) bool {
	ext := filepath.Ext(strings.TrimRight(path, ". "))
	return strings.EqualFold(ext, ".bat") || strings.EqualFold(ext, ".cmd")
}

// batchLine is the command line of cmd for a batch file. What the system would make of its arguments is for programs: cmd would take
// them for further commands. Within quotes it takes everything as it is but for what is refused here.
func batchLine(args []string) (string, error) {
	var b strings.Builder
	b.WriteString(syscall.EscapeArg(systemShell()) + ` /D /E:ON /V:OFF /S /C "`)
	for i, arg := range args {
		if strings.ContainsAny(arg, "\"%\r\n") {
			return "", fmt.Errorf(`%w: a batch file, and %.100q, which has one of " and %%, or is more than a line`, ErrInvalid, arg)
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(`"` + arg + `"`)
	}
	b.WriteByte('"')
	return b.String(), nil
}
