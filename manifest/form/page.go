package form

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"io"
	"strings"

	"github.com/jkstack/jkframe/v2/manifest"
)

//go:embed page
var pageFiles embed.FS

// PageOptions say how a page looks at first. The zero value is a page in Chinese that makes agent.conf.
type PageOptions struct {
	Lang  string // zh or en; the page can be switched. By default, zh
	Title string // by default, Configuration or 配置
	File  string // name of the file that is downloaded. By default, agent.conf
}

// pageItem is a setting as the page knows it. Values are texts as in a configuration file.
type pageItem struct {
	Key      string         `json:"key"`
	Type     manifest.Type  `json:"type"`
	Name     manifest.Text  `json:"name"`
	Desc     manifest.Text  `json:"desc"`
	Category string         `json:"category,omitempty"`
	Required bool           `json:"required,omitempty"`
	Default  *string        `json:"default,omitempty"`
	Members  []string       `json:"members,omitempty"`
	Pattern  string         `json:"pattern,omitempty"`  // for the whole value, with the flag u
	StrValid string         `json:"strValid,omitempty"` // as the manifest has it
	Min      *string        `json:"min,omitempty"`
	Max      *string        `json:"max,omitempty"`
	Len      int64          `json:"len,omitempty"`
	Relative *bool          `json:"relative,omitempty"`
	When     *pageCondition `json:"when,omitempty"`
}

type pageCondition struct {
	Target  string `json:"target"`
	Contain string `json:"contain"`
	Equal   *bool  `json:"equal,omitempty"`
}

type pageData struct {
	Title string     `json:"title"`
	Lang  string     `json:"lang"`
	File  string     `json:"file"`
	Items []pageItem `json:"items"`
}

// WritePage writes one HTML page that loads nothing else: a form for the settings, and beside it the configuration file that
// they make, to be downloaded. Its policy lets no other script run and nothing be sent. o may be nil.
func WritePage(w io.Writer, m *manifest.Manifest, o *PageOptions) error {
	if o == nil {
		o = &PageOptions{}
	}
	data := pageData{Title: o.Title, Lang: "zh", File: "agent.conf", Items: make([]pageItem, 0, len(m.Items))}
	if o.Lang == "en" {
		data.Lang = "en"
	}
	if o.File != "" {
		data.File = o.File
	}
	for _, it := range m.Items {
		item, err := newPageItem(it)
		if err != nil {
			return err
		}
		data.Items = append(data.Items, item)
	}
	title := data.Title
	if title == "" {
		title = manifest.Text{EN: "Configuration", ZH: "配置"}.In(data.Lang)
	}
	style, err := readFiles("page.css")
	if err != nil {
		return err
	}
	script, err := readFiles("model.js", "controls.js", "view.js")
	if err != nil {
		return err
	}
	script = "\"use strict\";\n(() => {\n" + script + "})();\n"
	page, err := template.ParseFS(pageFiles, "page/page.html")
	if err != nil {
		return err
	}
	return page.Execute(w, map[string]any{
		"Data":       data,
		"Title":      title,
		"Style":      template.CSS(style), // of the embedded files, as the script
		"Script":     template.JS(script),
		"StyleHash":  hashOf(style),
		"ScriptHash": hashOf(script),
	})
}

func newPageItem(it *manifest.Item) (pageItem, error) {
	p := pageItem{
		Key: it.Key, Type: it.Type, Name: it.Name.Text, Desc: it.Desc.Text, Category: it.Category, Required: it.Required,
		StrValid: it.StrValid, Len: it.Len, Relative: it.AllowRelative,
		Default: textOf(it.Default), Min: textOf(it.Min), Max: textOf(it.Max),
	}
	switch it.Type {
	case manifest.TypeEnum:
		p.Members = it.EnumValid
	case manifest.TypeCSV:
		p.Members = it.CSVValid
	}
	if it.StrValid != "" {
		pattern, err := ecmaPattern(it.StrValid)
		if err != nil {
			return pageItem{}, err
		}
		p.Pattern = pattern
	}
	if w := it.When; w != nil {
		p.When = &pageCondition{w.Target, w.Contain, w.Equal}
	}
	return p, nil
}

func textOf(v manifest.Value) *string {
	if !v.IsSet() {
		return nil
	}
	return &v.Text
}

func readFiles(names ...string) (string, error) {
	var b strings.Builder
	for _, name := range names {
		text, err := pageFiles.ReadFile("page/" + name)
		if err != nil {
			return "", err
		}
		b.Write(text)
	}
	return b.String(), nil
}

// hashOf names a text in a content security policy.
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
