//go:build unix

package identity

import "io/fs"

// othersMayRead are the bits that a file with a secret must not have.
const othersMayRead fs.FileMode = 0o077
