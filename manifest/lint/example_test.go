package lint_test

import (
	"fmt"
	"os"
	"strings"

	"github.com/jkstack/jkframe/v2/manifest/lint"
)

func ExampleCommand_Main() {
	text := strings.NewReader("- { key: log.size, type: bytes, name: { zh: 大小 }, desc: { zh: 大小 }, required: false, default: 10X }\n")
	code := lint.Command{Stdin: text, Stdout: os.Stdout, Stderr: os.Stderr}.Main([]string{"-format", "github", "-"})
	fmt.Println("exit code", code)
	// Output:
	// ::error file=<stdin>,line=1,col=95,endLine=1,endColumn=98,title=ML209 default-bytes::"10X" is not a size such as 10M or 10MiB
	// exit code 1
}
