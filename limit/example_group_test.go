//go:build linux

package limit_test

import (
	"fmt"
	"os/exec"

	"github.com/jkstack/jkframe/v2/limit"
)

func ExampleApplied_NewGroup() {
	applied, err := limit.Apply(limit.Config{Name: "example-agent"})
	if err != nil {
		fmt.Println(err)
	}
	defer applied.Close()

	group, err := applied.NewGroup(limit.GroupConfig{CPUQuota: 50, Memory: 256 << 20, Processes: 100})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer group.Close()
	for _, result := range group.Results() {
		if !result.Held() {
			// The task goes on without; this is for the log.
			_ = result.String()
		}
	}

	cmd := exec.Command("sh", "-c", "sleep 1000 & echo done")
	out, err := cmd.StdoutPipe()
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := group.Start(cmd); err != nil {
		fmt.Println(err)
		return
	}
	var word string
	fmt.Fscan(out, &word)
	fmt.Println(word)
	fmt.Println(group.Close()) // ends the sleep, too
	cmd.Wait()

	usage, err := group.Usage()
	fmt.Println(usage.Processes, usage.OOMKills, err)
	// Output:
	// done
	// <nil>
	// 0 0 <nil>
}
