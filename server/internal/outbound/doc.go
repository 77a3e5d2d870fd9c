// Package outbound makes requests to addresses that callers of the API name. They go only where the operator of the server has
// allowed it: a caller must not reach through the server what he cannot reach himself.
//
// A host is allowed by its name, by a pattern such as *.example.com, by its address, or by a network such as 10.1.0.0/16, each
// with a port behind it or without one. A name that is allowed must not lead to loopback, link-local addresses, or those under
// which clouds give out secrets, unless these are allowed as addresses. Every redirect is checked like the first address, and
// the address is checked when it is dialled: what a name means may change in between.
package outbound
