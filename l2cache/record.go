package l2cache

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
)

// A record in a segment is a header of 16 bytes and its data. All numbers are little-endian.
//
//	0  2  marker, two bytes that no UTF-8 text has
//	2  2  low half of the CRC-32C of salt and bytes 4 to 16
//	4  4  length of the data
//	8  4  low half of the sequence
//	12 4  CRC-32C of salt and data
//
// The salt is a random number of the segment, so that data can hold nothing that passes for a record.
const (
	headerSize = 16
	marker0    = 0xF5
	marker1    = 0xFA
)

// MaxRecord is how many bytes a record may have at most.
const MaxRecord = 1 << 28

// head is the header of a record.
type head struct {
	length int
	seq    uint32 // low half
	sum    uint32
}

// checksum is the CRC-32C of salt and data.
func checksum(salt uint32, data []byte) uint32 {
	return crc32.Update(salt, crc32.MakeTable(crc32.Castagnoli), data)
}

// appendHead adds the header of a record to b.
func appendHead(b []byte, salt uint32, seq uint64, length int, sum uint32) []byte {
	i := len(b)
	b = append(b, marker0, marker1, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(length))
	b = binary.LittleEndian.AppendUint32(b, uint32(seq&math.MaxUint32))
	b = binary.LittleEndian.AppendUint32(b, sum)
	binary.LittleEndian.PutUint16(b[i+2:], uint16(checksum(salt, b[i+4:])&math.MaxUint16))
	return b
}

// parseHead reads the header at the start of b, which has 16 bytes at least. It returns false when there is none.
func parseHead(b []byte, salt uint32) (h head, ok bool) {
	b = b[:headerSize]
	if b[0] != marker0 || b[1] != marker1 || binary.LittleEndian.Uint16(b[2:]) != uint16(checksum(salt, b[4:])&math.MaxUint16) {
		return head{}, false
	}
	length := binary.LittleEndian.Uint32(b[4:])
	if length > MaxRecord {
		return head{}, false
	}
	return head{int(length), binary.LittleEndian.Uint32(b[8:]), binary.LittleEndian.Uint32(b[12:])}, true
}

// fullSeq is the first sequence after last whose low half is low.
func fullSeq(last uint64, low uint32) uint64 {
	seq := last&^math.MaxUint32 | uint64(low)
	if seq <= last {
		seq += 1 << 32
	}
	return seq
}

// findMarker returns where in b a header may begin, len(b) when nowhere. A marker that is cut off by the end of b counts.
func findMarker(b []byte) int {
	if i := bytes.Index(b, []byte{marker0, marker1}); i >= 0 {
		return i
	}
	if n := len(b); n > 0 && b[n-1] == marker0 {
		return n - 1
	}
	return len(b)
}
