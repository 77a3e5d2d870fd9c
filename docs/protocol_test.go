package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/internal/doccheck"
)

// message is a message as a page or the code says.
type message struct {
	heading string // "10: exec"
	field   string // of the payload, "" for none
	members []string
}

// A reader who writes a peer of his own finds every message with its number, its payload and all members, and no others.
func TestProtocol(t *testing.T) {
	documented, declared := documentedMessages(t), declaredMessages(t)
	if len(declared) < 36 {
		t.Errorf("only %d messages found in package wire", len(declared))
	}
	for number, want := range declared {
		got, ok := documented[number]
		if !ok {
			t.Errorf("protocol.md lacks message %d (%s)", number, want.heading)
			continue
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("message %d:\nprotocol.md %+v\nwire        %+v", number, got, want)
		}
	}
	for number := range documented {
		if _, ok := declared[number]; !ok {
			t.Errorf("protocol.md has message %d, which package wire does not declare", number)
		}
	}
}

// documentedMessages reads the sections of protocol.md, such as "### 10: exec".
func documentedMessages(t *testing.T) map[int]message {
	t.Helper()
	doc := read(t, "protocol.md")
	all := make(map[int]message)
	section := regexp.MustCompile(`(?m)^### ((\d+): .*)\n\n.*(No payload|Payload ` + "`(.*)`" + `)\.$`)
	for _, m := range section.FindAllStringSubmatch(doc, -1) {
		number, err := strconv.Atoi(m[2])
		if err != nil {
			t.Fatal(err)
		}
		all[number] = message{heading: m[1], field: m[4]}
	}
	for _, table := range doccheck.Tables(doc) {
		text, _, _ := strings.Cut(table.Heading, ":")
		number, err := strconv.Atoi(text)
		if err != nil {
			continue
		}
		m := all[number]
		for _, row := range table.Rows {
			if row[2] == "" {
				t.Errorf("message %d: nothing is said of %s", number, row[0])
			}
			m.members = append(m.members, strings.Trim(row[0], "`")+" "+row[1])
		}
		all[number] = m
	}
	return all
}

// declaredMessages reads the source of package wire: the calls of Define and the structs of the payloads.
func declaredMessages(t *testing.T) map[int]message {
	t.Helper()
	files, err := filepath.Glob("../wire/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("files %q, %v", files, err)
	}
	structs := make(map[string]*ast.StructType)
	var calls []*ast.CallExpr
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.TypeSpec:
				if s, ok := n.Type.(*ast.StructType); ok {
					structs[n.Name.Name] = s
				}
			case *ast.CallExpr:
				if f, ok := n.Fun.(*ast.IndexExpr); ok && fmt.Sprint(f.X) == "Define" && len(n.Args) >= 3 {
					calls = append(calls, n)
				}
			}
			return true
		})
	}
	all := make(map[int]message)
	for _, call := range calls {
		number, err := strconv.Atoi(literal(t, call.Args[0]))
		if err != nil {
			t.Fatal(err)
		}
		payload := call.Fun.(*ast.IndexExpr).Index.(*ast.Ident).Name
		all[number] = message{
			heading: fmt.Sprintf("%d: %s", number, literal(t, call.Args[1])),
			field:   literal(t, call.Args[2]),
			members: members(t, structs, payload, ""),
		}
	}
	return all
}

func literal(t *testing.T, e ast.Expr) string {
	t.Helper()
	lit, ok := e.(*ast.BasicLit)
	if !ok {
		t.Fatalf("%T where a literal is due", e)
	}
	if lit.Kind != token.STRING {
		return lit.Value
	}
	s, err := strconv.Unquote(lit.Value)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// jsonNames is what protocol.md calls the types of members.
func jsonNames() map[string]string {
	return map[string]string{
		"string": "string", "IP": "string", "bool": "boolean",
		"int": "integer", "int32": "integer", "int64": "integer", "uint16": "integer", "uint32": "integer", "uint64": "integer",
		"HostSection": "integer", "InstallAction": "integer", "LogSource": "integer",
		"float32": "number", "float64": "number", "Float2": "number, 2 decimals",
		"Time": "time", "Duration": "nanoseconds", "FileMode": "mode", "Block": "block",
		"[]byte": "base64", "[16]byte": "MD5", "map[string]uint64": "object of integers",
	}
}

// members lists the members of a payload as "files[].name string, optional", in their order.
func members(t *testing.T, structs map[string]*ast.StructType, name, prefix string) []string {
	t.Helper()
	var all []string
	for _, f := range structs[name].Fields.List {
		if len(f.Names) == 0 { // embedded
			all = append(all, members(t, structs, typeText(f.Type), prefix)...)
			continue
		}
		tag := reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("json")
		member, options, _ := strings.Cut(tag, ",")
		kind, list := typeText(f.Type), false
		if _, named := jsonNames()[kind]; !named {
			kind, list = strings.CutPrefix(kind, "[]")
		}
		if _, nested := structs[kind]; nested {
			if list {
				member += "[]"
			}
			all = append(all, members(t, structs, kind, prefix+member+".")...)
			continue
		}
		text, ok := jsonNames()[kind]
		if !ok {
			t.Errorf("%s.%s: type %s has no name in protocol.md", name, member, kind)
		}
		if list {
			text = "array of " + text
		}
		if slices.Contains(strings.Split(options, ","), "omitempty") {
			text += ", optional"
		}
		all = append(all, prefix+member+" "+text)
	}
	return all
}

// typeText writes a type without its package and its pointer.
func typeText(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.StarExpr:
		return typeText(e.X)
	case *ast.MapType:
		return "map[" + typeText(e.Key) + "]" + typeText(e.Value)
	case *ast.ArrayType:
		if lit, ok := e.Len.(*ast.BasicLit); ok {
			return "[" + lit.Value + "]" + typeText(e.Elt)
		}
		return "[]" + typeText(e.Elt)
	}
	return fmt.Sprintf("%T", e)
}
