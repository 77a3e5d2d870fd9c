// Package manifest compares the check of a manifest with what a JSON Schema validator does for the same file, holds the JSON
// Schemas that package form makes against a validator, and fills in the page that it makes in a real browser.
package manifest
