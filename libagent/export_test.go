package libagent

import (
	"io"
	"io/fs"

	"github.com/jkstack/jkframe/v2/kvconf"
)

// SetInTree sets a setting in a YAML or JSON text.
func SetInTree(data []byte, isJSON bool, key, value string) ([]byte, error) {
	if isJSON {
		return setInJSON(data, key, value)
	}
	return setInYAML(data, key, value)
}

// TreeEntries flattens a YAML or JSON text.
func TreeEntries(data []byte, isJSON bool) ([]kvconf.Entry, error) {
	if isJSON {
		return jsonEntries(data)
	}
	return yamlEntries(data)
}

// ServerAddr is serverAddr.
func ServerAddr(s string) (string, error) { return serverAddr(s) }

// MatchHost is matchHost.
func MatchHost(pattern, host string) bool { return matchHost(pattern, host) }

// AppendLabel writes a label's value.
func AppendLabel(s string) string { return string(appendLabel(nil, s)) }

// PlatformOf is platformOf.
func PlatformOf(root fs.FS) (name, version string) { return platformOf(root) }

// PrintStatus shows a status to a person.
func PrintStatus(s Status, w io.Writer) { s.print(w) }
