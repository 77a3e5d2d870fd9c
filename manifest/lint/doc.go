// Package lint is the command manifest-lint: it checks manifests and configuration files, reports in the formats that people and
// continuous integration read, mends what can be mended, and makes forms and configuration files. A program or a test runs
// it with [Command.Main].
package lint
