//go:build !unix

package identity

import "io/fs"

// othersMayRead is empty: who may read a file is not in its mode here.
const othersMayRead fs.FileMode = 0
