// Package doctest holds what the documents say of the server against the server: its keys, its metrics, and the commands and
// programs of the pages, which are run.
package doctest
