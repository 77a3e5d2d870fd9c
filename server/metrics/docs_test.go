package metrics_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/server/metrics"
	"github.com/prometheus/client_golang/prometheus"
)

// The page lists every metric with its labels, and no others, and no metric that the contributed files use is missing.
func TestDocuments(t *testing.T) {
	text, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented, actual []string
	for _, m := range regexp.MustCompile("(?m)^\\| `(agent_host_\\w+)` \\| (.*?) \\|").FindAllStringSubmatch(string(text), -1) {
		documented = append(documented, m[1]+" "+strings.ReplaceAll(m[2], "`", ""))
	}
	descs := make(chan *prometheus.Desc, 100)
	metrics.NewLatest(nil).Describe(descs)
	close(descs)
	for d := range descs {
		m := regexp.MustCompile(`fqName: "(\w+)".*variableLabels: \{(.*?)\}`).FindStringSubmatch(d.String())
		actual = append(actual, m[1]+" "+strings.ReplaceAll(m[2], ",", ", "))
	}
	slices.Sort(documented)
	slices.Sort(actual)
	if len(actual) < 30 || !slices.Equal(documented, actual) {
		t.Errorf("documented\n%s\nactual\n%s", strings.Join(documented, "\n"), strings.Join(actual, "\n"))
	}
}
