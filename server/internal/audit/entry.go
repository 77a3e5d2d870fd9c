package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// maxDetail is how long the details of a line may be, in bytes. Longer ones are cut, which is said.
const maxDetail = 32 << 10

// Entry is one line of the log.
type Entry struct {
	Seq    uint64         `json:"seq"` // counts from 1, without gaps
	Time   time.Time      `json:"time"`
	Event  string         `json:"event"`            // what happened, such as order, enrol, revoke
	Actor  string         `json:"actor,omitempty"`  // who: the name of a token, "agent", "server", the user of a command
	From   string         `json:"from,omitempty"`   // address
	Target string         `json:"target,omitempty"` // to whom: the id of an agent, the name of a token
	What   string         `json:"what,omitempty"`   // the message or the call
	Task   string         `json:"task,omitempty"`   // binds an order to its result
	Result string         `json:"result,omitempty"`
	Detail map[string]any `json:"detail,omitempty"` // no secrets
	Prev   string         `json:"prev,omitempty"`   // the hash of the line before, "" for the first of all
	Hash   string         `json:"hash"`             // SHA-256 of the line up to this member
}

// body returns the members of a line between its number and its hashes.
func (e *Entry) body() ([]byte, error) {
	c := *e
	c.Seq, c.Prev, c.Hash = 0, "", ""
	if c.Time.IsZero() {
		c.Time = time.Now()
	}
	c.Time = c.Time.UTC()
	b, err := json.Marshal(&c)
	if err == nil && len(b) > maxDetail {
		c.Detail = map[string]any{"cut": fmt.Sprintf("%d bytes", len(b))}
		b, err = json.Marshal(&c)
	}
	if err != nil {
		return nil, err
	}
	b = bytes.TrimPrefix(b, []byte(`{"seq":0,`))
	return bytes.TrimSuffix(b, []byte(`,"hash":""}`)), nil
}

// hashMark begins the last member of a line, which is as long for every one.
const (
	hashMark   = `,"hash":"`
	hashLength = 2 * sha256.Size
	tailLength = len(hashMark) + hashLength + len(`"}`)
)

// appendLine appends a line to b, and returns its hash.
func appendLine(b []byte, seq uint64, body []byte, prev string) (line []byte, hash string) {
	start := len(b)
	b = strconv.AppendUint(append(b, `{"seq":`...), seq, 10)
	b = append(append(b, ','), body...)
	if prev != "" {
		b = append(append(append(b, `,"prev":"`...), prev...), '"')
	}
	sum := sha256.Sum256(b[start:])
	hash = hex.EncodeToString(sum[:])
	return append(append(append(b, hashMark...), hash...), '"', '}', '\n'), hash
}

var errHash = errors.New("the hash of the line is not that of its text")

// parseLine reads a line, without the end of line, and checks its hash.
func parseLine(line []byte) (Entry, error) {
	var e Entry
	if err := json.Unmarshal(line, &e); err != nil {
		return e, fmt.Errorf("no line of this log: %w", err)
	}
	at := len(line) - tailLength
	if at < 0 || !bytes.HasPrefix(line[at:], []byte(hashMark)) || !bytes.HasSuffix(line, []byte(`"}`)) {
		return e, errors.New("no line of this log: it does not end with its hash")
	}
	sum := sha256.Sum256(line[:at])
	if string(line[at+len(hashMark):len(line)-2]) != hex.EncodeToString(sum[:]) {
		return e, errHash
	}
	return e, nil
}
