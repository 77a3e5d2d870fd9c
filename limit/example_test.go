package limit_test

import (
	"fmt"
	"log/slog"

	"github.com/jkstack/jkframe/v2/limit"
)

func Example() {
	// These come from a configuration file.
	config := limit.Config{Name: "example-agent"}

	applied, err := limit.Apply(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer applied.Close()

	for _, result := range applied.Results() {
		if result.Held() {
			slog.Info("limit holds", "result", result)
		} else {
			slog.Warn("limit does not hold", "result", result)
		}
	}
	fmt.Println(len(applied.Results()), "limits asked for")
	// Output: 0 limits asked for
}

func ExampleConfig_Validate() {
	fmt.Println(limit.Config{
		CPUQuota: -5,
		Disk:     []limit.Disk{{Dev: "sda", ReadBytes: 1 << 20}, {Dev: "8:x", ReadIOPS: 100}},
	}.Validate())
	// Output:
	// cpu_quota: -5 is not a percentage of one core (0 to 10000000)
	// disk_limit: entry 1: device "sda" is neither major:minor, as in 8:0, nor a path, as in /dev/sda
	// disk_limit: entry 2: device "8:x": minor number "x" is not a number below 4294967296
}
