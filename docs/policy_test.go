package docs_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/internal/doccheck"
	"github.com/jkstack/jkframe/v2/policy"
)

// The owner of a host finds every key of the policy, and no key that is not there.
func TestPolicyKeys(t *testing.T) {
	byKey := func(a, b doccheck.Setting) int { return strings.Compare(a.Key, b.Key) }
	documented := slices.SortedFunc(slices.Values(doccheck.Settings(read(t, "exec-agent.md"), "The policy: `policy.conf`", "")), byKey)
	for i := range documented {
		documented[i].Default = ""
	}
	actual := slices.SortedFunc(slices.Values(doccheck.SettingsOf(reflect.TypeFor[policy.Policy]())), byKey)
	if !slices.Equal(documented, actual) {
		t.Errorf("exec-agent.md has %+v\nthe policy has %+v", documented, actual)
	}
	for _, s := range actual {
		if !strings.Contains(policy.Begin(), "\n"+s.Key+" =") && !strings.Contains(policy.Begin(), "\n# "+s.Key+" =") {
			t.Errorf("the policy to begin with does not show %s", s.Key)
		}
	}
}
