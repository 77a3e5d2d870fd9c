package wire_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/wire"
)

func frame(typ, payload string) string { return `{"type":` + typ + `,"tid":"t",` + payload + `}` }

// What a peer must not send, and the error that says so: the number, the field and the reason, never a panic.
func TestHostile(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	deep := strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)
	md5 := `[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]`
	tests := []struct {
		name, frame string
		typ         wire.Type // in the error
		field       string
		err         error
	}{
		// What is no frame.
		{"nothing", ``, -1, "", wire.ErrSyntax},
		{"white space", " \n", -1, "", wire.ErrSyntax},
		{"text", `hello`, -1, "", wire.ErrSyntax},
		{"a number", `12`, -1, "", wire.ErrKind},
		{"an array", `[{"type":12}]`, -1, "", wire.ErrKind},
		{"null", `null`, -1, "", wire.ErrKind},
		{"a byte order mark", "\ufeff" + `{"type":8}`, -1, "", wire.ErrSyntax},
		{"cut off", `{"type":8`, 8, "", wire.ErrSyntax},
		{"two frames", `{"type":8}{"type":8}`, 8, "", wire.ErrSyntax},
		{"a nul behind", "{\"type\":8}\x00", 8, "", wire.ErrSyntax},
		{"a comma at the end", `{"type":8,}`, 8, "", wire.ErrSyntax},
		{"a comma in front", `{,"type":8}`, -1, "", wire.ErrSyntax},
		{"a name without quotes", `{type:8}`, -1, "", wire.ErrSyntax},
		{"single quotes", `{'type':8}`, -1, "", wire.ErrSyntax},
		{"no colon", `{"type" 8}`, -1, "", wire.ErrSyntax},
		{"a comment", `{"type":8/**/}`, 8, "", wire.ErrSyntax},
		{"an array that is cut off", frame("33", `"hm_dynamic_rep":{"process":[1,2`), 33, "hm_dynamic_rep.process", wire.ErrSyntax},
		{"a comma at the end of an array", frame("33", `"hm_dynamic_rep":{"process":[{},]}`), 33, "hm_dynamic_rep.process[1]", wire.ErrSyntax},
		{"a literal that is none", frame("11", `"execd":{"ok":truE}`), 11, "execd.ok", wire.ErrSyntax},
		{"a control character", frame("12", "\"exec_data\":{\"data\":\"a\nb\"}"), 12, "exec_data.data", wire.ErrSyntax},
		{"an escape that is none", frame("12", `"exec_data":{"data":"\x"}`), 12, "exec_data.data", wire.ErrSyntax},
		{"an escape that is cut off", frame("12", `"exec_data":{"data":"\u12"}`), 12, "exec_data.data", wire.ErrSyntax},
		{"a frame that ends in an escape", `{"type":12,"x":"\`, 12, "x", wire.ErrSyntax},

		// Numbers that JSON does not have.
		{"NaN", frame("7", `"ai":{"cu":NaN}`), 7, "ai.cu", wire.ErrSyntax},
		{"infinity", frame("7", `"ai":{"cu":-Infinity}`), 7, "ai.cu", wire.ErrSyntax},
		{"hexadecimal", frame("7", `"ai":{"ts":0x10}`), 7, "ai", wire.ErrSyntax},
		{"a plus sign", frame("7", `"ai":{"ts":+1}`), 7, "ai.ts", wire.ErrSyntax},
		{"a zero in front", frame("7", `"ai":{"ts":01}`), 7, "ai", wire.ErrSyntax},
		{"a point without digits", frame("7", `"ai":{"cu":1.}`), 7, "ai.cu", wire.ErrSyntax},
		{"an exponent without digits", frame("7", `"ai":{"cu":1e}`), 7, "ai.cu", wire.ErrSyntax},
		{"a minus sign alone", frame("7", `"ai":{"cu":-}`), 7, "ai.cu", wire.ErrSyntax},

		// The envelope.
		{"no type", `{"tid":"t"}`, -1, "", wire.ErrNoType},
		{"an empty frame", `{}`, -1, "", wire.ErrNoType},
		{"type null", `{"type":null}`, -1, "type", wire.ErrNoType},
		{"type in capitals", `{"Type":8}`, -1, "", wire.ErrNoType},
		{"type as text", `{"type":"8"}`, -1, "type", wire.ErrKind},
		{"type with a fraction", `{"type":8.0}`, -1, "type", wire.ErrKind},
		{"type with an exponent", `{"type":1e1}`, -1, "type", wire.ErrKind},
		{"type below 0", `{"type":-8}`, -1, "type", wire.ErrRange},
		{"type of 32 bits", `{"type":2147483648}`, -1, "type", wire.ErrRange},
		{"type of 65 bits", `{"type":18446744073709551624}`, -1, "type", wire.ErrRange},
		{"type an object", `{"type":{"type":8}}`, -1, "type", wire.ErrKind},
		{"tid a number", `{"type":8,"tid":1}`, 8, "tid", wire.ErrKind},
		{"tid of 257 bytes", `{"type":8,"tid":"` + long[:257] + `"}`, 8, "tid", wire.ErrLength},
		{"tid of 1 MiB", `{"type":8,"tid":"` + long + `"}`, 8, "tid", wire.ErrLength},
		{"errmsg an object", `{"type":0,"errmsg":{}}`, 0, "errmsg", wire.ErrKind},

		// UTF-8.
		{"a byte that is not UTF-8", frame("12", "\"exec_data\":{\"data\":\"a\xffb\"}"), 12, "exec_data.data", wire.ErrUTF8},
		{"half a rune", frame("21", "\"ls_rep\":{\"dir\":\"\xe4\xbd\"}"), 21, "ls_rep.dir", wire.ErrUTF8},
		{"a surrogate", frame("21", "\"ls_rep\":{\"dir\":\"\xed\xa0\x80\"}"), 21, "ls_rep.dir", wire.ErrUTF8},
		{"a rune written too long", frame("21", "\"ls_rep\":{\"dir\":\"\xc0\xaf\"}"), 21, "ls_rep.dir", wire.ErrUTF8},
		{"a name that is not UTF-8", frame("21", "\"ls_rep\":{\"\xff\":1}"), 21, "ls_rep", wire.ErrUTF8},
		{"not UTF-8 outside of strings", "{\"type\":8}\xff", 8, "", wire.ErrUTF8},
		{"not UTF-8 behind another error", frame("12", "\"a\":01,\"b\":\"\xff\""), 12, "", wire.ErrUTF8},

		// Depth, and names that come twice.
		{"10,000 arrays", frame("12", `"exec_data":`+deep), 12, "exec_data" + strings.Repeat("[0]", 63), wire.ErrDepth},
		{"10,000 arrays that stay open", frame("12", `"exec_data":`+deep[:10_000]), 12, "exec_data" + strings.Repeat("[0]", 63), wire.ErrDepth},
		{"100 objects", frame("12", `"x":`+strings.Repeat(`{"x":`, 100)+"1"+strings.Repeat("}", 100)), 12, strings.Repeat("x.", 63) + "x", wire.ErrDepth},
		{"type twice", `{"type":8,"type":9}`, 8, "type", wire.ErrDuplicate},
		{"type twice, once with escapes", `{"type":8,"\u0074ype":9}`, 8, "type", wire.ErrDuplicate},
		{"tid twice", `{"type":8,"tid":"a","tid":"a"}`, 8, "tid", wire.ErrDuplicate},
		{"a payload twice", frame("14", `"exec_kill":{"pid":1},"exec_kill":{"pid":2}`), 14, "exec_kill", wire.ErrDuplicate},
		{"a field twice", frame("14", `"exec_kill":{"pid":1,"pid":2}`), 14, "exec_kill.pid", wire.ErrDuplicate},
		{"a field twice, with escapes", frame("14", `"exec_kill":{"p\u0069d":1,"\u0070id":2}`), 14, "exec_kill.pid", wire.ErrDuplicate},
		{"a field twice that nobody knows", frame("14", `"x":{"y":[{"z":1,"z":2}]}`), 14, "x.y[0].z", wire.ErrDuplicate},
		{"names alike in their first bytes", frame("14", `"x":{"abcdefghi":1,"abcdefghj":2,"abcdefghi":3}`), 14, "x.abcdefghi", wire.ErrDuplicate},
		{"twice among a thousand", frame("14", `"x":{`+manyNames(1000)+`,"n7":0}`), 14, "x.n7", wire.ErrDuplicate},
		{"a strange name twice", frame("14", `"a\u001bb":1,"a\u001bb":2`), 14, `"a\x1bb"`, wire.ErrDuplicate},
		{"a long name twice", frame("14", `"`+long+`":1,"`+long+`":2`), 14, `"` + long[:64] + `…"`, wire.ErrDuplicate},

		// Payloads.
		{"no payload", `{"type":10,"tid":"t"}`, 10, "exec", wire.ErrNoPayload},
		{"payload null", frame("11", `"execd":null`), 11, "execd", wire.ErrNoPayload},
		{"another's payload", frame("14", `"exec":{"pid":1}`), 14, "exec_kill", wire.ErrNoPayload},
		{"payload in capitals", frame("14", `"EXEC_KILL":{"pid":1}`), 14, "exec_kill", wire.ErrNoPayload},
		{"payload an array", frame("14", `"exec_kill":[1]`), 14, "exec_kill", wire.ErrKind},
		{"payload text", frame("14", `"exec_kill":"1"`), 14, "exec_kill", wire.ErrKind},
		{"a number as text", frame("14", `"exec_kill":{"pid":"1"}`), 14, "exec_kill.pid", wire.ErrKind},
		{"a number with a fraction", frame("14", `"exec_kill":{"pid":1.5}`), 14, "exec_kill.pid", wire.ErrKind},
		{"a number with an exponent", frame("14", `"exec_kill":{"pid":1e2}`), 14, "exec_kill.pid", wire.ErrKind},
		{"a number of 65 bits", frame("14", `"exec_kill":{"pid":9223372036854775808}`), 14, "exec_kill.pid", wire.ErrRange},
		{"a number of 1,000 digits", frame("14", `"exec_kill":{"pid":`+strings.Repeat("9", 1000)+`}`), 14, "exec_kill.pid", wire.ErrRange},
		{"a size below 0", frame("25", `"download_rep":{"size":-1}`), 25, "download_rep.size", wire.ErrRange},
		{"a pid of 33 bits", frame("33", `"hm_dynamic_rep":{"process":[{"id":1},{"id":2147483648}]}`), 33, "hm_dynamic_rep.process[1].id", wire.ErrRange},
		{"a float that is too large", frame("33", `"hm_dynamic_rep":{"usage":{"cpu":{"usage":1e999}}}`), 33, "hm_dynamic_rep.usage.cpu.usage", wire.ErrRange},
		{"a float that is too large for 32 bits", frame("7", `"ai":{"cu":1e39}`), 7, "ai.cu", wire.ErrRange},
		{"a boolean as a number", frame("11", `"execd":{"ok":1}`), 11, "execd.ok", wire.ErrKind},
		{"text as a number", frame("10", `"exec":{"cmd":1}`), 10, "exec.cmd", wire.ErrKind},
		{"a list as text", frame("10", `"exec":{"args":"a b"}`), 10, "exec.args", wire.ErrKind},
		{"a number in a list of text", frame("10", `"exec":{"args":["a",1]}`), 10, "exec.args[1]", wire.ErrKind},
		{"a time that is none", frame("13", `"exec_done":{"t":"yesterday"}`), 13, "exec_done.t", wire.ErrValue},
		{"a time as a number", frame("13", `"exec_done":{"t":1795154111}`), 13, "exec_done.t", wire.ErrKind},
		{"base64 that is none", frame("12", `"exec_data":{"data":"!"}`), 12, "exec_data.data", wire.ErrValue},
		{"base64 that is cut off", frame("12", `"exec_data":{"data":"b25lD"}`), 12, "exec_data.data", wire.ErrValue},
		{"an MD5 as text", frame("25", `"download_rep":{"md5":"00"}`), 25, "download_rep.md5", wire.ErrKind},
		{"an MD5 of 15 bytes", frame("25", `"download_rep":{"md5":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]}`), 25, "download_rep.md5", wire.ErrKind},
		{"an MD5 of 17 bytes", frame("25", `"download_rep":{"md5":`+md5[:len(md5)-1]+`,17]}`), 25, "download_rep.md5", wire.ErrKind},
		{"an MD5 with 256 in it", frame("25", `"download_rep":{"md5":`+strings.Replace(md5, "16", "256", 1)+`}`), 25, "download_rep.md5[15]", wire.ErrRange},
		{"an address that is none", `{"type":1,"come":{"ip":"1.2.3.4.5"}}`, 1, "come.ip", wire.ErrValue},
		{"an id of 256 bytes", `{"type":1,"come":{"id":"` + long[:256] + `"}}`, 1, "come.id", wire.ErrLength},
		{"an id of 1 MiB", `{"type":1,"come":{"id":"` + long + `"}}`, 1, "come.id", wire.ErrLength},
		{"a million empty objects", frame("33", `"hm_dynamic_rep":{"process":[`+strings.Repeat("{},", 1_000_000)+`{}]}`), 33, "hm_dynamic_rep.process", wire.ErrMemory},
	}
	all := declared()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f, err := wire.Parse([]byte(test.frame))
			if err == nil {
				m, ok := all[f.Type]
				if !ok {
					t.Fatalf("Parse took it, and type %d has no payload", f.Type)
				}
				_, err = m.again(nil, f)
			}
			var e *wire.Error
			if !errors.As(err, &e) {
				t.Fatalf("error %v, want %v", err, test.err)
			}
			if !errors.Is(err, test.err) || e.Field != test.field || e.Type != test.typ || e.Name != e.Type.Name() {
				t.Errorf("error %v\n type %d, field %s; want %v, type %d, field %s", err, e.Type, e.Field, test.err, test.typ, test.field)
			}
			if e.Offset < 0 || e.Offset > len(test.frame) {
				t.Errorf("byte %d of a frame of %d", e.Offset, len(test.frame))
			}
			if text := err.Error(); len(text) > 1000 || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == '\ufffd' }) {
				t.Errorf("the error cannot be logged as it is: %q", text)
			}
		})
	}
}

// manyNames returns the members n0 to n<n-1>.
func manyNames(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"n%d":0`, i)
	}
	return b.String()[1:]
}
