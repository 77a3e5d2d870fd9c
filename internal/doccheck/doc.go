// Package doccheck helps tests to hold the project's documents against the code: it finds code blocks and tables, compiles a
// program of a document, and lists the keys of a configuration struct.
//
// It knows the Markdown that the documents use: fenced blocks that begin at the start of a line, and tables whose lines begin
// and end with a bar.
package doccheck
