package process

import (
	"golang.org/x/sys/windows"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// consoleEncoding is the encoding of the console's code page, nil for one whose lines cannot be told from bytes.
func consoleEncoding() encoding.Encoding {
	page := windows.NewLazySystemDLL("kernel32.dll").NewProc("GetOEMCP")
	n, _, _ := page.Call()
	switch n {
	case 936, 54936:
		return simplifiedchinese.GBK
	case 932:
		return japanese.ShiftJIS
	case 949:
		return korean.EUCKR
	case 950:
		return traditionalchinese.Big5
	}
	return nil
}
