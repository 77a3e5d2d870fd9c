package logging_test

import (
	"testing"

	"github.com/jkstack/jkframe/v2/logging"
)

// What is not exactly a file of this log is never taken for one, since it would be removed one day.
func TestForeignNames(t *testing.T) {
	for _, file := range []string{
		"agent", "agent.log.gz", "agent.log.", "agent.log.01", "agent.log.-1", "agent.log.+1", "agent.log.1.bak",
		"agent.log.1.gz.tmp", "agent.log.gz.tmp", "agent.log.x", "agent.log.1 ", " agent.log", "Agent.log", "agent.log~",
		"agent-2.log", "agent2.log.1", "agent.log.9999999999", "agent.log.99999999999999999999", "agent_20260102.log",
		"agent_20260102.log.1", "x/agent.log", "../agent.log", "agent.log/", "agent.log\x00",
	} {
		if _, _, _, ok := logging.ParseName("agent", false, file); ok {
			t.Errorf("by size: %q is taken for a file of the log", file)
		}
	}
	for _, file := range []string{
		"agent.log", "agent.log.1", "agent_2026.log", "agent_20260230.log", "agent_20261301.log", "agent_2026010.log",
		"agent_20260102.log.01", "agent_20260102.txt", "agent-20260102.log", "agent_20260102", "agent_+2026102.log",
	} {
		if _, _, _, ok := logging.ParseName("agent", true, file); ok {
			t.Errorf("by date: %q is taken for a file of the log", file)
		}
	}
}

// What is taken for a file of the log has the very name that the log would give it.
func FuzzNames(f *testing.F) {
	for _, file := range []string{"a.log", "a.log.0", "a.log.12.gz", "a_20260102.log", "a_20260102.log.3.gz", "a_20260102.log.gz"} {
		f.Add("a", file)
	}
	f.Fuzz(func(t *testing.T, name, file string) {
		for _, daily := range []bool{false, true} {
			date, number, gz, ok := logging.ParseName(name, daily, file)
			if !ok {
				continue
			}
			if got := logging.FormatName(name, daily, date, number, gz); got != file {
				t.Errorf("%q of %q: date %q, number %d, gz %v make %q", file, name, date, number, gz, got)
			}
		}
	})
}
