package server

import (
	"crypto/md5"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/block"
)

const (
	// maxSpools is how many transfers from agents are kept on the disk at the same time.
	maxSpools = 8

	// maxAgentSpools is how many of them may come from the same agent.
	maxAgentSpools = 2

	// spoolPrefix begins the name of a file that is a spool.
	spoolPrefix = "transfer-"

	// maxSpool is how large a transfer may be, in bytes.
	maxSpool = 4 << 30

	// maxBlock is how large a block of a transfer may be, in bytes.
	maxBlock = 1 << 20
)

var (
	errChecksum = errors.New("invalid checksum")
	errBusy     = errors.New("too many transfers at the same time")
)

// spools keep what agents send in files until it is whole: an agent is not held up by a client that reads slowly, and a
// client gets nothing that is not checked.
type spools struct {
	dir string

	mu    sync.Mutex     // guards the fields below
	total int            // transfers
	by    map[string]int // transfers by agent
}

func newSpools(dataDir string) *spools {
	return &spools{dir: filepath.Join(dataDir, "spool"), by: make(map[string]int)}
}

// open makes the folder, and clears what a killed server has left there. The folder must be this server's alone.
func (s *spools) open() error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("data_dir: %w", err)
	}
	left, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("data_dir: %w", err)
	}
	for _, file := range left {
		if !strings.HasPrefix(file.Name(), spoolPrefix) {
			continue
		}
		if err := os.Remove(filepath.Join(s.dir, file.Name())); err != nil {
			return fmt.Errorf("data_dir: %w", err)
		}
	}
	return nil
}

// busy reports whether there is no place for another transfer from an agent.
func (s *spools) busy(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.full(id)
}

// full is busy for who holds s.mu.
func (s *spools) full(id string) bool { return s.total == maxSpools || s.by[id] == maxAgentSpools }

// take takes a place for a transfer from an agent, if there is one.
func (s *spools) take(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full(id) {
		return false
	}
	s.total++
	s.by[id]++
	return true
}

// free gives a place back.
func (s *spools) free(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total--
	s.by[id]--
	if s.by[id] == 0 {
		delete(s.by, id)
	}
}

// spool is a transfer from an agent.
type spool struct {
	owner *spools
	id    string // of the agent
	file  *os.File
	sum   hash.Hash
	want  [md5.Size]byte
	size  uint64 // bytes that are announced
	have  uint64 // bytes that have come
}

// begin makes an empty spool for what an agent has announced. It must be closed.
func (s *spools) begin(id string, size uint64, sum [md5.Size]byte) (*spool, error) {
	if size > maxSpool {
		return nil, fmt.Errorf("a transfer of %d bytes is larger than %d", size, uint64(maxSpool))
	}
	if !s.take(id) {
		return nil, errBusy
	}
	f, err := os.CreateTemp(s.dir, spoolPrefix+"*")
	if err != nil {
		s.free(id)
		return nil, err
	}
	return &spool{owner: s, id: id, file: f, sum: md5.New(), want: sum, size: size}, nil
}

func (s *spool) close() {
	s.file.Close()
	os.Remove(s.file.Name())
	s.owner.free(s.id)
}

// add takes the next block. The agent decides what is in it: it must lie where the last one ended.
func (s *spool) add(offset uint64, b wire.Block) error {
	data, err := block.Decode(b, maxBlock)
	if err != nil {
		return err
	}
	if offset != s.have || uint64(len(data)) > s.size-s.have || len(data) == 0 {
		return fmt.Errorf("a block of %d bytes at %d does not follow %d of %d bytes", len(data), offset, s.have, s.size)
	}
	s.have += uint64(len(data))
	s.sum.Write(data)
	_, err = s.file.Write(data)
	return err
}

// whole reports whether everything has come, and checks it then.
func (s *spool) whole() (bool, error) {
	if s.have < s.size {
		return false, nil
	}
	if [md5.Size]byte(s.sum.Sum(nil)) != s.want {
		return true, errChecksum
	}
	_, err := s.file.Seek(0, io.SeekStart)
	return true, err
}
