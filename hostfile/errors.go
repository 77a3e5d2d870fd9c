package hostfile

import "errors"

// Why something was not done. Errors wrap one of these, or one of io/fs such as fs.ErrNotExist, and name the path.
var (
	// ErrOutside: the path is in none of the folders, or a link leads out of them.
	ErrOutside = errors.New("outside of the folders that are allowed")
	// ErrNotFile: it is a device, a pipe, a socket or a folder.
	ErrNotFile = errors.New("not a file")
	// ErrNotFolder: it is not a folder.
	ErrNotFolder = errors.New("not a folder")
	// ErrChanged: the file changed while it was read.
	ErrChanged = errors.New("changed while it was read")
	// ErrChecksum: what was written is not what was announced.
	ErrChecksum = errors.New("invalid checksum")
	// ErrSize: more or less was written than was announced.
	ErrSize = errors.New("wrong size")
	// ErrTooLarge: the file is larger than is allowed.
	ErrTooLarge = errors.New("larger than is allowed")
	// ErrNoUser: there is no such owner or group.
	ErrNoUser = errors.New("no such user or group")
	// ErrMode: the mode has bits that are not allowed.
	ErrMode = errors.New("mode with setuid, setgid or sticky")
	// ErrInvalid: the path or name is none.
	ErrInvalid = errors.New("invalid path")
)
