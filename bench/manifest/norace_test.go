//go:build !race

package manifest_test

// raceDetector tells whether the tests run under it.
const raceDetector = false
