// Package rest is how the API of the server answers: what every answer looks like, and the little that package huma,
// which describes the API from the Go types of its calls, has to be told for that.
//
// A call that worked answers {"code":0,"payload":…}, which [Payload] and [OK] make; one that did not answers
// {"code":404,"msg":"…"} with the same HTTP status, which is an [Error].
package rest
