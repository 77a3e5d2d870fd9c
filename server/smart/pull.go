package smart

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// pull writes a file of the agent's host into one of the server's folders for that. What was there stays until it is whole.
func (n *node) pull(ctx context.Context, src, dst string) error {
	root, name, err := rootOf(n.settings.Pull, dst)
	if err != nil {
		return err
	}
	defer root.Close()
	d, err := n.files.Download(ctx, n.id, src, 0)
	if err != nil {
		return err
	}
	defer d.Close()
	most := n.files.Disk()
	if d.Size > most {
		return fmt.Errorf("%q has %d bytes, which are more than files.disk (%d) allows", src, d.Size, most)
	}
	if err := root.MkdirAll(path.Dir(filepath.ToSlash(name)), 0o755); err != nil {
		return err
	}
	from := &counted{Reader: d, pulled: &n.pulled, most: most}
	defer from.giveBack()
	part := name + ".part-" + strconv.FormatInt(time.Now().UnixNano(), 36)
	if err := writeNew(root, part, from); err != nil {
		_ = root.Remove(part) // it may not be there
		return err
	}
	return root.Rename(part, name)
}

// pulled is how much has come of all files that are being pulled. What an agent says of a size takes no room: only bytes do.
type pulled struct {
	mu    sync.Mutex // guards the field below
	bytes int64
}

// take takes room for n bytes, if all together stay below most.
func (p *pulled) take(n, most int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bytes+n > most {
		return false
	}
	p.bytes += n
	return true
}

func (p *pulled) giveBack(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bytes -= n
}

// counted is a file that is being pulled.
type counted struct {
	io.Reader
	pulled *pulled
	most   int64
	taken  int64
}

// Read reads what there is room for.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if !c.pulled.take(int64(n), c.most) {
		return 0, fmt.Errorf("too much is being pulled at the same time: files.disk allows %d bytes", c.most)
	}
	c.taken += int64(n)
	return n, err
}

func (c *counted) giveBack() { c.pulled.giveBack(c.taken) }

// writeNew writes a file that is not there yet, to the disk.
func writeNew(root *os.Root, name string, from io.Reader) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	if e := f.Sync(); err == nil {
		err = e
	}
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}
