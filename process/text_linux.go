package process

import (
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// consoleEncoding is GBK: hosts do not say in which encoding their programs write.
func consoleEncoding() encoding.Encoding { return simplifiedchinese.GBK }
