// Package hostmetrics compares jkframe's hostmetrics with gopsutil, on which agents of the field stand: the same figures of this
// machine, each asked for in the way that its documents show, in one run.
package hostmetrics
