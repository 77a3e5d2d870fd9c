package wire

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxID is the length of the longest id of an agent, in bytes.
const MaxID = 255

// CheckID says what is wrong with the id of an agent, nil if it can be one. An id is 1 to [MaxID] bytes of UTF-8 that can be
// seen: no blanks, no control characters or marks that change the direction of writing, and nothing that has a meaning in
// paths (a slash, a backslash, two dots), because it names agents in files, addresses and logs.
func CheckID(id string) error {
	switch {
	case id == "":
		return errors.New("id is empty")
	case len(id) > MaxID:
		return fmt.Errorf("id has %d bytes, %d are allowed", len(id), MaxID)
	case !utf8.ValidString(id):
		return errors.New("id is not valid UTF-8")
	case id == "." || strings.Contains(id, ".."):
		return errors.New(`id holds ".." or is "."`)
	}
	for _, r := range id {
		if r == '/' || r == '\\' || !unicode.IsGraphic(r) || unicode.IsSpace(r) {
			return fmt.Errorf("id holds %q", r)
		}
	}
	return nil
}
