package kvconf

// Unmarshal decodes the text of a file into v, see Decoder.Decode. Lines may have any length.
func Unmarshal(data []byte, v any) error {
	run := decodeState{Decoder: &Decoder{}}
	if err := run.aim(v); err != nil {
		return err
	}
	run.source(string(data))
	return run.result()
}

// Marshal gives v as the text of a file, see Encoder.Encode.
func Marshal(v any) ([]byte, error) { return appendAll(nil, v, DialectNative) }
