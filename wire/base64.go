package wire

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
)

// Command output is base64, and most of the time of a frame of it was spent in encoding/base64. What is here does the
// bulk, six bytes at once, and leaves the rest to it: the last bytes, line breaks and errors.

const base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// base64Pairs holds the two characters for twelve bits, the first one in the lower byte.
var base64Pairs = func() (t [1 << 12]uint16) {
	for i := range t {
		t[i] = uint16(base64Alphabet[i>>6]) | uint16(base64Alphabet[i&63])<<8
	}
	return t
}()

// base64Values holds, for each of the four characters of a group, its bits in the 24 of the group, and base64Invalid
// for what is none.
var base64Values = func() (t [4][1 << 8]uint32) {
	for place := range t {
		for c := range t[place] {
			t[place][c] = base64Invalid
		}
		for bits, c := range []byte(base64Alphabet) {
			t[place][c] = uint32(bits) << (18 - 6*place)
		}
	}
	return t
}()

const base64Invalid = 1 << 31

func appendBase64(b, src []byte) []byte {
	n := base64.StdEncoding.EncodedLen(len(src))
	b = slices.Grow(b, n)
	b = b[:len(b)+n]
	dst := b[len(b)-n:]
	for len(src) >= 8 && len(dst) >= 8 {
		v := binary.BigEndian.Uint64(src)
		binary.LittleEndian.PutUint64(dst, uint64(base64Pairs[v>>52])|uint64(base64Pairs[v>>40&0xfff])<<16|
			uint64(base64Pairs[v>>28&0xfff])<<32|uint64(base64Pairs[v>>16&0xfff])<<48)
		src, dst = src[6:], dst[8:]
	}
	base64.StdEncoding.Encode(dst, src)
	return b
}

// decodeBase64 decodes src into dst, which has room for DecodedLen(len(src)) bytes, and returns how many there are.
func decodeBase64(dst, src []byte) (int, error) {
	n := 0
	for len(src) >= 8 && len(dst)-n >= 8 {
		x := base64Values[0][src[0]] | base64Values[1][src[1]] | base64Values[2][src[2]] | base64Values[3][src[3]]
		y := base64Values[0][src[4]] | base64Values[1][src[5]] | base64Values[2][src[6]] | base64Values[3][src[7]]
		if (x|y)&base64Invalid != 0 {
			break
		}
		binary.BigEndian.PutUint64(dst[n:], uint64(x)<<40|uint64(y)<<16)
		n, src = n+6, src[8:]
	}
	m, err := base64.StdEncoding.Decode(dst[n:], src)
	return n + m, err
}
