// Package release packs the programs of a source tree for every system they run on: one archive for each program and target,
// with the binary, its configuration and its manifest, and beside the archives what a deployment tool and a person read first
// (manifest.yaml, CHANGELOG.md, SHA256SUMS).
//
// A program is a folder with a main.go and a conf folder. Nothing but the go command is needed, and the bytes depend on the
// sources, the version, the time of the commit and the Go release alone: two runs give the same archives.
package release
