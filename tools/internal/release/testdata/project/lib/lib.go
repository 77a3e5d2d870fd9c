// Package lib is no program.
package lib
