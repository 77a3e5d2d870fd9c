// Package wire compares the codec of jkframe's wire with its peers on the frames that a fleet sends most, in one run:
//
//   - encoding/json with one struct that has a pointer for every payload, the way of the agents and servers of the field;
//   - go-json-experiment/json with that struct, the strictest of the libraries: UTF-8 and duplicate names are checked;
//   - the same library with a struct that knows only that message, which no program that gets many can use;
//   - code written by hand for one message, which checks UTF-8 and little else, as the limit.
//
// All of them decode from a frame to the payload's Go value, and encode from that value to a frame. Each line says how
// many times as fast as encoding/json it is.
package wire
