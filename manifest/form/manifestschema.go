package form

import _ "embed" // for the schema

//go:embed manifest.schema.json
var manifestSchema string

// ManifestSchema gives the JSON Schema of manifest.yaml itself, for editors. It says what a schema can say; package manifest
// finds more.
func ManifestSchema() []byte { return []byte(manifestSchema) }
