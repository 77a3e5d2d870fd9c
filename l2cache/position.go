package l2cache

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"sync"
)

// The file of the position has two places, 512 bytes apart, which are written in turn, so that a torn write leaves the other
// one. All numbers are little-endian.
//
//	0  8 magic
//	8  8 number of the write
//	16 8 up to here all is acknowledged
//	24 8 sequence of the next record
//	32 4 CRC-32C of bytes 0 to 32
//	36 8 sequence that the name of the last segment has
//	44 8 where the record before the next one ends in it
//	52 4 CRC-32C of bytes 0 to 52
//
// The last three may be missing.
const (
	positionName  = "position"
	positionMagic = "l2posit1"
	positionSize  = 36
	positionWhole = 56
	positionApart = 512
)

// position is where a queue begins and ends.
type position struct {
	acked uint64
	next  uint64 // so that it is known when the last records are missing
	last  place  // of next, so that opening need not read what is before it
}

// place is where a record ends: the segment that begins with base, and the offset in it. The zero value is unknown.
type place struct {
	base uint64
	end  int64
}

// positionFile keeps the position.
type positionFile struct {
	mu     sync.Mutex // guards what follows
	file   *os.File
	writes uint64
	saved  position // as the file has it
	synced bool
}

func appendPosition(b []byte, writes uint64, p position) []byte {
	i := len(b)
	b = append(b, positionMagic...)
	b = binary.LittleEndian.AppendUint64(b, writes)
	b = binary.LittleEndian.AppendUint64(b, p.acked)
	b = binary.LittleEndian.AppendUint64(b, p.next)
	b = binary.LittleEndian.AppendUint32(b, checksum(0, b[i:]))
	b = binary.LittleEndian.AppendUint64(b, p.last.base)
	b = binary.LittleEndian.AppendUint64(b, uint64(p.last.end))
	return binary.LittleEndian.AppendUint32(b, checksum(0, b[i:]))
}

// parsePosition returns the later one of the two places; ok is false when there is none.
func parsePosition(b []byte) (writes uint64, p position, ok bool) {
	for at := 0; at+positionSize <= len(b); at += positionApart {
		one := b[at:min(at+positionWhole, len(b))]
		if string(one[:8]) != positionMagic || binary.LittleEndian.Uint32(one[32:]) != checksum(0, one[:32]) {
			continue
		}
		if n := binary.LittleEndian.Uint64(one[8:]); !ok || n > writes {
			writes, ok = n, true
			p = position{acked: binary.LittleEndian.Uint64(one[16:]), next: binary.LittleEndian.Uint64(one[24:]), last: parsePlace(one)}
		}
	}
	return writes, p, ok && p.acked < p.next
}

// parsePlace reads what a position says of the last segment.
func parsePlace(one []byte) place {
	if len(one) < positionWhole || binary.LittleEndian.Uint32(one[52:]) != checksum(0, one[:52]) {
		return place{}
	}
	end := binary.LittleEndian.Uint64(one[44:])
	if end < segmentPrefix || end > math.MaxInt64 {
		return place{}
	}
	return place{binary.LittleEndian.Uint64(one[36:]), int64(end)}
}

// load reads the position of a folder. One that cannot be read is as one that is not there: what was acknowledged comes again.
// The file is made if it can be, since there may be no room for it later.
func (p *positionFile) load(d *folder) position {
	p.mu.Lock()
	defer p.mu.Unlock()
	f, err := d.at().OpenFile(positionName, os.O_RDWR|os.O_CREATE, fileMode)
	writable := err == nil
	if !writable {
		if f, err = d.at().Open(positionName); err != nil {
			return position{}
		}
		defer f.Close()
	}
	b := make([]byte, positionApart+positionWhole)
	n, err := f.ReadAt(b, 0)
	if writable {
		p.file = f
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return position{}
	}
	if writes, at, ok := parsePosition(b[:n]); ok {
		p.writes, p.saved = writes, at
	}
	return p.saved
}

// save writes the position, if it has moved, and puts it on the disk if that is asked for.
func (p *positionFile) save(d *folder, at position, durable bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	at.acked = max(at.acked, p.saved.acked)
	if at.next < p.saved.next {
		at.next, at.last = p.saved.next, p.saved.last
	}
	if d == nil || at == p.saved && (p.synced || !durable) {
		return nil
	}
	if p.file == nil {
		f, err := d.at().OpenFile(positionName, os.O_RDWR|os.O_CREATE, fileMode)
		if err != nil {
			return d.explain(err)
		}
		p.file = f
	}
	place := int64(p.writes%2) * positionApart
	if err := writeAt(p.file, p.file.Fd(), appendPosition(nil, p.writes+1, at), place); err != nil {
		return err
	}
	p.writes++
	p.saved, p.synced = at, false
	if durable {
		if err := syncFile(p.file, p.file.Fd()); err != nil {
			return err
		}
		p.synced = true
	}
	return nil
}

// again makes the next save write a new file.
func (p *positionFile) again() {
	p.close()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writes, p.saved, p.synced = 0, position{}, false
}

func (p *positionFile) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.file != nil {
		p.file.Close()
		p.file = nil
	}
}
