// Package kvconf compares jkframe's kvconf with its peers: the same 25 settings with the same comments into the same struct,
// 10,000 settings into a map with duplicates found, the struct back to text, and one setting changed in a file, each in the
// form that the peer reads, in one run. A switch written by hand for the struct shows how far it could be taken.
package kvconf
