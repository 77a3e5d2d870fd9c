package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Frame is one parsed envelope. What it refers to aliases the data that was parsed.
type Frame struct {
	Type  Type
	Task  string // tid: the task that the frame belongs to, "" for none
	Error string // errmsg

	raw map[string]json.RawMessage
}

// Parse checks one frame and splits it into its envelope.
func Parse(data []byte) (*Frame, error) {
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("wire: %w", ErrUTF8)
	}
	f := &Frame{}
	if err := json.Unmarshal(data, &f.raw); err != nil {
		return nil, fmt.Errorf("wire: %w", err)
	}
	if err := json.Unmarshal(f.raw["type"], &f.Type); err != nil {
		return nil, errors.New("wire: no type")
	}
	if r, ok := f.raw["tid"]; ok {
		if err := json.Unmarshal(r, &f.Task); err != nil {
			return nil, fmt.Errorf("wire: tid: %w", err)
		}
	}
	if r, ok := f.raw["errmsg"]; ok {
		if err := json.Unmarshal(r, &f.Error); err != nil {
			return nil, fmt.Errorf("wire: errmsg: %w", err)
		}
	}
	return f, nil
}

// ErrUTF8 means that a frame is not valid UTF-8.
var ErrUTF8 = errors.New("invalid UTF-8")

// ErrNoPayload means that a frame lacks the payload that its type is due to carry.
var ErrNoPayload = errors.New("no payload")

// Decode returns the payload of a frame of this message.
func (m *Message[T]) Decode(f *Frame) (T, error) {
	var v T
	if m.field == "" {
		return v, nil
	}
	r, ok := f.raw[m.field]
	if !ok || string(r) == "null" {
		return v, fmt.Errorf("wire: %s (%d): %s: %w", m.name, m.typ, m.field, ErrNoPayload)
	}
	if err := json.Unmarshal(r, &v); err != nil {
		return v, fmt.Errorf("wire: %s (%d): %w", m.name, m.typ, err)
	}
	return v, nil
}

// Append appends the frame of this message to b. An empty task means none.
func (m *Message[T]) Append(b []byte, task string, v *T) ([]byte, error) {
	env := map[string]any{"type": m.typ}
	if task != "" {
		env["tid"] = task
	}
	if m.field != "" {
		env[m.field] = v
	}
	d, err := json.Marshal(env)
	return append(b, d...), err
}

// AppendError appends the frame of an error (type 0) to b.
func AppendError(b []byte, task, text string) []byte {
	env := map[string]any{"type": 0, "errmsg": text}
	if task != "" {
		env["tid"] = task
	}
	d, _ := json.Marshal(env)
	return append(b, d...)
}
