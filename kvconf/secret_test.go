package kvconf_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/jkstack/jkframe/v2/kvconf"
)

// Whoever prints a configuration knows what not to print.
func TestSecrets(t *testing.T) {
	type inner struct {
		Token string `kv:"token,secret"`
		Name  string `kv:"name"`
	}
	type outer struct {
		Inner    inner  `kv:"inner"`
		Password string `kv:"password,expand,secret"`
	}
	got, err := kvconf.Secrets(&outer{})
	if err != nil || !slices.Equal(got, []string{"inner.token", "password"}) {
		t.Errorf("%q, %v", got, err)
	}
	for _, v := range []any{nil, 1, map[string]string{}} {
		if _, err := kvconf.Secrets(v); !errors.Is(err, kvconf.ErrType) {
			t.Errorf("%T: %v", v, err)
		}
	}
}
