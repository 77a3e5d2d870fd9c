package exec_test

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/jkstack/jkframe/v2/internal/freeport"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// fieldBlock is how many bytes of a file are in a frame.
const fieldBlock = 32 << 10

// field is how agents and servers of the field connect: every message is compressed, however small.
var field = conn.Options{IdleTimeout: -1, CompressFrom: 1}

// mover moves files between its callers and the host of an agent.
type mover interface {
	download(file string, size int64) error
	upload(file, to string) error
}

var (
	_ mover = (*fleet)(nil)
	_ mover = (*fieldServer)(nil)
)

// pairs are a server and an agent of which one, or both, speak as those of the field do. With both there is nothing of ours but the
// messages and the connection: what the dialect itself takes.
var pairs = []struct {
	name  string
	start func(*testing.B) (m mover, dir string)
}{
	{"agent", func(b *testing.B) (mover, string) {
		f := newFleet(b)
		f.startServer(b)
		startFieldAgent(b, f.agents)
		f.await(b)
		return f, f.dir
	}},
	{"server", func(b *testing.B) (mover, string) {
		f := newFleet(b)
		s := startFieldServer(b, f.agents, f.dir)
		f.startAgent(b)
		s.await(b)
		return s, f.dir
	}},
	{"both", func(b *testing.B) (mover, string) {
		dir := b.TempDir()
		s := startFieldServer(b, freeport.Addr(b), dir)
		startFieldAgent(b, s.addr)
		s.await(b)
		return s, dir
	}},
}

// BenchmarkFieldDownload reads files through an agent, a server, or both, of the field.
func BenchmarkFieldDownload(b *testing.B) {
	withField(b, func(b *testing.B, m mover, file string, size int64, callers int) {
		sideBySide(b, callers, func() error { return m.download(file, size) })
	})
}

// BenchmarkFieldUpload writes files through an agent, a server, or both, of the field.
func BenchmarkFieldUpload(b *testing.B) {
	withField(b, func(b *testing.B, m mover, file string, size int64, callers int) {
		var n atomic.Int64
		sideBySide(b, callers, func() error { return m.upload(file, fmt.Sprint("up-", n.Add(1)%int64(callers))) })
	})
}

func withField(b *testing.B, work func(b *testing.B, m mover, file string, size int64, callers int)) {
	b.Helper()
	for _, pair := range pairs {
		for _, mebibytes := range []int64{1, 64} {
			for _, callers := range []int{1, 50} {
				b.Run(fmt.Sprintf("%s/%dMiB/callers=%d", pair.name, mebibytes, callers), func(b *testing.B) {
					m, dir := pair.start(b)
					file, size := noise(b, dir, mebibytes), mebibytes<<20
					b.SetBytes(size)
					work(b, m, file, size, callers)
				})
			}
		}
	}
}

// noise makes a file that cannot be compressed.
func noise(b *testing.B, dir string, mebibytes int64) string {
	b.Helper()
	name := filepath.Join(dir, "noise-"+strconv.FormatInt(mebibytes, 10))
	out, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	defer out.Close()
	block := make([]byte, 1<<20)
	for range mebibytes {
		rand.Read(block) // never fails
		if _, err := out.Write(block); err != nil {
			b.Fatal(err)
		}
	}
	return name
}
