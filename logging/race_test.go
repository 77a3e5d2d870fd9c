//go:build race

package logging_test

// slowdown is how many times fewer lines the tests with many lines log: the race detector needs its time for each.
const slowdown = 10
