// Package form reads what callers of the API send as a form, for features of the server and for programs that have it within
// themselves: values from the query and the body, and one file, which goes to memory while it is small and to the disk beyond.
//
// Everything is bounded: the number of values, their bytes, the room that all files take together, and how slowly a client may
// send. What is wrong with a form is an answer of package [rest], in the words of the field. [rest.Form] describes a form for
// OpenAPI.
package form
