package logging

import (
	"errors"
	"log/slog"
	"path"
	"reflect"
	"runtime"
	"strconv"
	"strings"
)

// maxStack is how many calls of a stack are kept: enough to see where an error is from, and a line stays readable.
const maxStack = 32

// stackError is an error that knows where it was made.
type stackError struct {
	error
	pcs []uintptr
}

// WithStack returns err with the stack of its caller. When such an error is logged, or one that wraps it, the line has
// the stack beside the error: an attribute err comes with err.stack. The text of the error stays as it is. An error that
// has a stack already, and nil, are returned as they are.
func WithStack(err error) error {
	if err == nil || callersOf(err) != nil {
		return err
	}
	pcs := make([]uintptr, maxStack)
	return &stackError{error: err, pcs: pcs[:runtime.Callers(2, pcs)]}
}

func (e *stackError) Unwrap() error { return e.error }

// Callers returns the program counters of the stack, as of runtime.Callers. An error of any type that has this method
// is logged with its stack.
func (e *stackError) Callers() []uintptr { return e.pcs }

// callersOf finds the first stack in the tree of an error.
func callersOf(err error) []uintptr {
	for err != nil {
		if s, ok := err.(interface{ Callers() []uintptr }); ok {
			return s.Callers()
		}
		if many, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range many.Unwrap() {
				if pcs := callersOf(e); pcs != nil {
					return pcs
				}
			}
			return nil
		}
		err = errors.Unwrap(err)
	}
	return nil
}

// frame is one call of a stack.
type frame struct {
	function, file string
	line           int
}

func (f frame) String() string {
	return f.function + " (" + path.Base(f.file) + ":" + strconv.Itoa(f.line) + ")"
}

// stackOf returns the stack of an error, the innermost call first, or nil.
func stackOf(a any) (stack []frame) {
	err, ok := a.(error)
	if !ok {
		return nil
	}
	defer func() {
		if recover() != nil { // a method of the program's own error
			stack = nil
		}
	}()
	return frames(callersOf(err))
}

func frames(pcs []uintptr) []frame {
	if len(pcs) == 0 {
		return nil
	}
	var stack []frame
	it := runtime.CallersFrames(pcs)
	for {
		f, more := it.Next()
		if f.Function != "runtime.goexit" && f.Function != "runtime.main" {
			stack = append(stack, frame{path.Base(f.Function), f.File, f.Line})
		}
		if !more || len(stack) == maxStack {
			return stack
		}
	}
}

// stackText is a stack in one line.
func stackText(stack []frame) string {
	calls := make([]string, len(stack))
	for i, f := range stack {
		calls[i] = f.String()
	}
	return strings.Join(calls, " < ")
}

// shortSource is the place of a call: the file with its folder, and the line.
func shortSource(s *slog.Source) string {
	return path.Join(path.Base(path.Dir(s.File)), path.Base(s.File)) + ":" + strconv.Itoa(s.Line)
}

func isNilPointer(a any) bool {
	v := reflect.ValueOf(a)
	return v.Kind() == reflect.Pointer && v.IsNil()
}
