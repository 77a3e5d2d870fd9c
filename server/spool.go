package server

import (
	"crypto/md5"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/block"
)

const (
	// maxSpools is how many transfers from agents are kept on the disk at the same time.
	maxSpools = 8

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
	dir   string
	slots chan struct{} // one for each in use
}

// openSpools makes the folder of the spools, and clears what a killed server has left there.
func openSpools(dataDir string) (*spools, error) {
	s := &spools{dir: filepath.Join(dataDir, "spool"), slots: make(chan struct{}, maxSpools)}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, fmt.Errorf("data_dir: %w", err)
	}
	left, err := filepath.Glob(filepath.Join(s.dir, "transfer-*"))
	if err != nil {
		return nil, fmt.Errorf("data_dir: %w", err)
	}
	for _, file := range left {
		if err := os.Remove(file); err != nil {
			return nil, fmt.Errorf("data_dir: %w", err)
		}
	}
	return s, nil
}

// spool is a transfer from an agent.
type spool struct {
	owner *spools
	file  *os.File
	sum   hash.Hash
	want  [md5.Size]byte
	size  uint64 // bytes that are announced
	have  uint64 // bytes that have come
}

// open makes an empty spool, which must be closed.
func (s *spools) open() (*spool, error) {
	select {
	case s.slots <- struct{}{}:
	default:
		return nil, errBusy
	}
	f, err := os.CreateTemp(s.dir, "transfer-*")
	if err != nil {
		<-s.slots
		return nil, err
	}
	return &spool{owner: s, file: f, sum: md5.New()}, nil
}

func (s *spool) close() {
	s.file.Close()
	os.Remove(s.file.Name())
	<-s.owner.slots
}

// announce says what is to come.
func (s *spool) announce(size uint64, sum [md5.Size]byte) error {
	if size > maxSpool {
		return fmt.Errorf("a transfer of %d bytes is larger than %d", size, uint64(maxSpool))
	}
	s.size, s.want = size, sum
	return nil
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
