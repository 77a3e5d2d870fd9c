//go:build !race

package logging_test

// slowdown is how many times fewer lines the tests with many lines log.
const slowdown = 1
