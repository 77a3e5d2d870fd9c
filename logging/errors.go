package logging

import (
	"errors"
	"fmt"
)

var errIrregular = errors.New("is not a regular file")

// panicError is the value of a panic that is no error.
type panicError struct{ value any }

func (e panicError) Error() string { return fmt.Sprint(e.value) }
