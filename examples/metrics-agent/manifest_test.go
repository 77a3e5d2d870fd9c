package main

import (
	"testing"

	"github.com/jkstack/jkframe/v2/internal/manifestcheck"
)

// The form, the struct and the file that is shipped say the same.
func TestManifest(t *testing.T) {
	manifestcheck.Run(t, &app{},
		"basic.compress", "basic.reconnect.spread", "basic.redirect.allow",
		"basic.log.rotate_by", "basic.log.age", "basic.log.compress", "basic.log.source", "basic.log.buffer", "basic.log.flush", "basic.log.repeat",
	)
}
