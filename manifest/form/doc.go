// Package form makes forms of a manifest: a JSON Schema for programs that render forms, and an HTML page that works by itself.
// It also has the JSON Schema of manifest.yaml, with which editors complete and check that file.
//
// A form helps the person who fills it in; what it sends is judged again by [manifest.Manifest.Evaluate].
package form
