package policy_test

import (
	"fmt"

	"github.com/jkstack/jkframe/v2/policy"
)

func Example() {
	p, err := policy.Parse([]byte("exec.enabled = true\nexec.allow = /usr/bin/systemctl status *\n"), "policy.conf")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Command(policy.Order{Path: "/usr/bin/systemctl", Args: []string{"status", "nginx"}}))
	fmt.Println(p.Command(policy.Order{Path: "/usr/bin/systemctl", Args: []string{"stop", "nginx"}}))
	// Output:
	// <nil>
	// refused by the host's policy: exec.allow does not have "/usr/bin/systemctl stop nginx" (policy.conf)
}
