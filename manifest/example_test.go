package manifest_test

import (
	"fmt"

	"github.com/jkstack/jkframe/v2/manifest"
)

const example = `- key: log.target
  type: csv
  name: { zh: 日志目标, en: Log targets }
  desc: { zh: 日志写入的目标, en: Where the log goes }
  required: true
  csv_valid: [ stdout, file ]
  default: [ stdout ]
- key: log.size
  type: bytes
  name: { zh: 日志大小, en: Log size }
  desc: { zh: 日志文件的大小, en: Size at which a file is rotated }
  required: true
  default: 10M
  min: 1M
  enabled:
    when:
      target: log.target
      contain: file
`

func Example() {
	result := manifest.Check([]byte("- key: log.size\n  type: byte\n  default: 10M\n"), nil)
	for _, f := range result.Findings {
		fmt.Println(f.String())
	}
	// Output:
	// 1:3: error: the item has no name [ML102 missing-name]
	// 1:3: error: the item has no desc [ML103 missing-desc]
	// 1:3: warning: the item does not say whether it is required; that means false [ML111 required-missing]
	// 2:9: error: the type "byte" is not known; did you mean bytes? [ML105 unknown-type]
}

func ExampleManifest_Evaluate() {
	m, err := manifest.Load([]byte(example))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, values := range []map[string]any{
		{},
		{"log": map[string]any{"target": []any{"file"}, "size": "10K"}},
	} {
		e := m.Evaluate(values)
		fmt.Println(e.Values(), e.Err())
	}
	// Output:
	// map[log.target:[stdout]] <nil>
	// map[log.target:[file]] log.size: 10K is below the minimum 1M
}

func ExampleManifest_WriteConf() {
	m, err := manifest.Load([]byte(example))
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := m.WriteConf(nil, m.Evaluate(map[string]any{"log.target": "stdout,file"}), "en")
	fmt.Print(string(text), err)
	// Output:
	// # Log targets
	// # Where the log goes
	// log.target = stdout,file
	//
	// # Log size
	// # Size at which a file is rotated
	// log.size = 10M
	// <nil>
}

func ExampleManifest_ParseConf() {
	m, err := manifest.Load([]byte(example))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range m.ParseConf([]byte("log.target = stdout, file\nlog.sise = 5M # not 10\n"), nil).Findings {
		fmt.Println(f.String())
	}
	// Output:
	// 1:14: info: the default is stdout [ML504 conf-differs-from-default]
	// 1:22: warning: agents of the field drop " file" without a word: no blank around a comma [ML503 conf-invalid-value]
	// 2:1: warning: the manifest has no setting log.sise; did you mean log.size? [ML501 conf-undeclared-key]
}
