package manifest

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"gopkg.in/yaml.v3"
)

// The limits of a manifest.
const (
	MaxBytes = 1 << 20 // of the file
	MaxItems = 10_000  // settings in it

	// maxNodes bounds the values of a file, those that aliases repeat counted each time. The smallest manifest with
	// MaxItems settings has half as many.
	maxNodes = 300_000
)

// A Document is the text of a manifest that was read as YAML.
type Document struct {
	src   *source
	root  *yaml.Node // the list; nil when the text cannot be read as one
	found []Finding
}

// Parse reads the text of a manifest. It never fails: what is wrong with the text are findings of Check.
func Parse(data []byte) *Document {
	size := len(data)
	if size > MaxBytes {
		data = nil
	}
	d := &Document{src: newSource(data)}
	c := &collector{src: d.src}
	if size > MaxBytes {
		c.at(ruleTooLarge, 0, 0, both("the file has %d bytes, more than %d", "文件有%d字节，超过上限%d", size, MaxBytes))
	} else {
		d.root = c.parse()
	}
	d.found = c.found
	return d
}

// Readable reports whether the text could be read as one list, and so was checked beyond that.
func (d *Document) Readable() bool { return d.root != nil }

// Line gives the text of a line, from 1, without its end; the empty string when there is none.
func (d *Document) Line(n int) string { return d.src.line(n) }

// parse reads the text and gives the list in it, or nil.
func (c *collector) parse() *yaml.Node {
	text := c.src.text
	if c.src.base > 0 {
		c.at(ruleBOM, 0, 0, Text{"the file starts with a byte order mark; save it as UTF-8 without one", "文件以BOM开头，请保存为不带BOM的UTF-8"}).
			Fix = &Fix{Title: Text{"remove the byte order mark", "删除BOM"}, Edits: []Edit{{0, c.src.base, ""}}}
	}
	if at := c.src.badUTF8(); at >= 0 {
		c.at(ruleEncoding, at, at+1, both("the byte 0x%02x is not UTF-8; save the file as UTF-8", "字节0x%02x不是UTF-8，请将文件保存为UTF-8", text[at]))
		return nil
	}
	if at := c.src.badControl(); at >= 0 {
		c.at(ruleSyntax, at, at+1, both("the character %U is not allowed in YAML", "YAML中不允许出现字符%U", firstRune(text[at:])))
		return nil
	}
	if nodesAtMost(text) > maxNodes {
		c.at(ruleTooLarge, 0, 0, both("the file may have more than %d values", "文件中的值可能超过%d个", maxNodes))
		return nil
	}
	docs, err := decodeAll(text)
	if err != nil {
		c.syntaxError(err)
		return nil
	}
	if len(docs) > 1 {
		c.node(ruleDocuments, docs[1], Text{"a second document starts here; a manifest is one document", "此处开始了第二个文档，manifest只能包含一个文档"})
	}
	return c.list(docs)
}

// list takes the list out of the first document.
func (c *collector) list(docs []*yaml.Node) *yaml.Node {
	if len(docs) == 0 || len(docs) == 1 && isEmpty(docs[0]) {
		c.at(ruleEmpty, 0, 0, Text{"the file is empty; a manifest is a list of settings", "文件为空，manifest应为配置项列表"})
		return nil
	}
	root := docs[0].Content[0]
	if c.tooLarge(root) {
		return nil
	}
	switch {
	case root.Kind != yaml.SequenceNode:
		if len(docs) == 1 {
			c.node(ruleRoot, root, both("the file is %s; a manifest is a list of settings", "文件顶层是%s，manifest应为配置项列表", scalarOf(root).kind.name()))
		}
		return nil
	case len(root.Content) > MaxItems:
		c.node(ruleTooLarge, root.Content[MaxItems], both("the file has %d items, more than %d", "文件有%d个配置项，超过上限%d", len(root.Content), MaxItems))
		return nil
	}
	return root
}

// isEmpty reports whether a document has nothing in it.
func isEmpty(doc *yaml.Node) bool {
	n := doc.Content[0]
	return n.Kind == yaml.ScalarNode && n.Value == "" && n.ShortTag() == "!!null"
}

// nodesAtMost counts the characters that start or separate values: a text has no more values than that. Behind a comma of
// {a,b} there are two, the name and its null.
func nodesAtMost(text string) int {
	n := 1
	for i := range len(text) {
		switch text[i] {
		case '\n', '\r', ':', '[', '-', '?':
			n++
		case ',', '{':
			n += 2
		}
	}
	return n
}

// decodeAll reads all documents of a text. The parser is not ours: should it panic, that is an error of the text.
func decodeAll(text string) (docs []*yaml.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("yaml: %v", p)
		}
	}()
	for dec := yaml.NewDecoder(strings.NewReader(text)); ; {
		doc := new(yaml.Node)
		if err := dec.Decode(doc); errors.Is(err, io.EOF) {
			return docs, nil
		} else if err != nil {
			return docs, err
		}
		docs = append(docs, doc)
	}
}
