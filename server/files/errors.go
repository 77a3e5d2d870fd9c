package files

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/jkstack/jkframe/v2/server/rest"
)

var (
	// ErrChecksum means that what came is not what was announced.
	ErrChecksum = rest.Errorf(http.StatusConflict, "invalid checksum")

	// ErrBusy means that too many files are on their way.
	ErrBusy = rest.Errorf(http.StatusServiceUnavailable, "too many transfers at the same time")

	// ErrStalled means that an agent has stopped sending a file.
	ErrStalled = rest.Errorf(http.StatusGatewayTimeout, "nothing came for %v", patience)

	// errRange is a part of a file that is not there.
	errRange = errors.New("range not satisfiable")
)

// badData is what an agent sent that is no part of the file.
func badData(format string, args ...any) error {
	return rest.Errorf(http.StatusInternalServerError, "invalid data: %s", fmt.Sprintf(format, args...))
}

// maxText is how much of an agent's text is kept, in bytes.
const maxText = 4096

func clip(s string) string { return s[:min(len(s), maxText)] }
