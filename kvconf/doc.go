// Package kvconf reads and writes configuration files of lines "key = value", decodes them into Go values, and changes them
// in place without losing a comment.
package kvconf
