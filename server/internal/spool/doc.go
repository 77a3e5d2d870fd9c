// Package spool gives features of the server buffers in memory and on disk, from a folder that is taken when the first
// buffer is made and given back at the end: a server that is made and never runs leaves nothing behind.
package spool
