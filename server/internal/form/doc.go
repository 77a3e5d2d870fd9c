// Package form reads what callers of the API send as a form: values from the query and the body, and one file, which goes
// to memory while it is small and to the disk beyond. Everything is bounded.
package form
