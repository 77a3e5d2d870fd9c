// Package kvconf reads and writes configuration files of lines "key = value": it decodes them into Go values, encodes Go values,
// and changes single settings of a file without touching anything else in it.
//
//	# who this agent is
//	basic.id = $HOSTNAME
//	basic.log.target = stdout, file   # csv
//	basic.log.size = 10M
//	basic.monitor.interval = 30s
//	basic.limit.disk_limit = [{"dev":"8:0","read_bytes":"10MiB"}]
//
// [Unmarshal] and [Marshal] do the common case. A [Decoder] has options: the name of the file for errors, tolerance towards keys
// that are not known, the expansion of $NAME. A [Document] is a file that is changed in place and written back in one step.
//
// # Grammar
//
// A file is UTF-8 text with or without a byte order mark. Its lines end in LF or CRLF, and are one of
//
//	            nothing but blanks
//	# comment   the first character that is no blank is "#"
//	key = value with or without blanks around key, "=" and value, and with or without " # comment" behind it
//
// A blank is any white space of Unicode within a line. A key is everything before the first "=": any characters but control
// characters, and no quote in front. Its dots part sections: log.dir is the setting dir in the section log. Keys are case-sensitive.
//
// A value goes to the end of the line, or to a "#" that stands behind a blank: "pass = a#b" is a#b, "pass = a # b" is a. Nothing
// else in it has a meaning: C:\temp, "a" b and $5 are what they look like when the first character is no quote. When it is one,
// the value goes to the next quote of the same kind, behind which only a comment may stand:
//
//   - within 'single quotes', every character is itself;
//   - within "double quotes", a backslash starts one of the escapes \" \\ \n \r \t, \xHH for a byte, \uHHHH and \UHHHHHHHH for a
//     character. Every other one is an error.
//
// Thus a value in quotes can hold "#" behind a blank, blanks at its edges, line ends, and any byte. Outside of escapes, a control
// character other than the tab, or a byte that is not UTF-8, is an error. A value never goes on in the next line, and there are no
// headings of sections. Lines may have any length, up to [Decoder.MaxLine].
//
// # Types
//
// A struct's fields are settings when they have the tag kv:"name"; others are left alone. A struct in a struct with a tag is a
// section, whose name and a dot go before the names in it. An embedded struct without a tag adds its fields to those around it,
// with a tag it is a section. Pointers to structs are made when the file has a setting for them. The name may itself have dots.
// Behind the name in the tag may stand, after a comma each:
//
//	bytes      integers are sizes, see ParseSize: 512, 10M, 9.5 MiB
//	expand     the Decoder expands $NAME in the value, when it is told how
//	secret     no error shows the value
//	omitempty  the Encoder leaves out the zero value, and an empty list or map
//
// and in a tag of its own, desc:"…" is what the Encoder writes as a comment above the setting or section.
//
//	string, []byte         the text
//	bool                   true, false, and what else strconv.ParseBool takes
//	int…, uint…            decimal; what does not fit the width is an error
//	float32, float64       a finite number
//	time.Duration          300ms, 30s, 1h30m
//	TextUnmarshaler        what the type makes of it
//	slice, array           members between commas, blanks around them and empty ones dropped; or a JSON array
//	slice of what has more a JSON array, as in [{"dev":"8:0"}]
//	map                    settings of their own, as in labels.env = prod; or a JSON object
//	map of structs         settings of their own, as in hosts.a.addr = …; or a JSON object of objects
//	pointer                what it points to; the variable is new
//	any                    a string; within a JSON value, what encoding/json makes of it
//	json.Unmarshaler       a JSON value
//
// For the names of a JSON object, a struct's fields have the tag kv as well, or else the tag json. Sizes in it are strings or
// numbers, durations are strings. A file may also be decoded into a map, whose keys are then the full keys: map[string]string,
// map[string]any, or a map of any of these types.
//
// # Absent, empty, null
//
// A key that is absent leaves what the variable held, so that defaults are set before decoding. A key without a value, as in
// "log.dir =", makes a text empty, a list or map one without members. Any other type keeps what it held, as if the line were not
// there: there is no number to take. The word null without quotes, which agents of the field write for what is not set, makes a
// pointer, slice, map or any nil; for a number, bool or duration it is as if there were no value; for a text it is the word.
//
// # Errors
//
// What is wrong with an input comes back all at once as [Errors], whose members have file, line, column, key and kind, see
// [Error]. An unknown key is an error, with a guess at what was meant, and so is a key that comes twice; [Decoder.Tolerant] makes
// both findings beside the result. Mistakes in the Go types are errors that wrap [ErrType], and come before anything is read.
// Nothing here panics on any input.
//
// # Writing
//
// The [Encoder] writes settings in the order of the fields, keys of maps sorted. What it writes is read as the same value, for
// every value that it does not refuse with an error that wraps [ErrUnwritable]: infinities, keys that cannot stand before "=",
// strings in JSON values that are not UTF-8. Two things change: what is in an any comes back as text, a map within
// a map[string]any with full keys. [DialectField] writes what agents of the field read too, or refuses it.
package kvconf
