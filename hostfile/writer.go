package hostfile

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Target is a file to be written.
type Target struct {
	// Dir is the folder, which is made if it is not there.
	Dir string

	// Name is the name in it.
	Name string

	// Size is how many bytes it has.
	Size int64

	// Grows means that Size and the sums are not known yet: [Writer.Settle] says them before Commit.
	Grows bool

	// MD5 and SHA256 are sums that the content must have. By default, there is none to be had.
	MD5    *[md5.Size]byte
	SHA256 *[sha256.Size]byte

	// Mode has the permission bits, and with Access.SetID the others. By default, those of the file that was there, or 0644.
	Mode fs.FileMode

	// Owner and Group are names or numbers. By default, those of the file that was there, or the program's own.
	Owner, Group string

	// Room is asked whether n more bytes may be written, before every MiB or larger piece of them. An error of it ends the file. By
	// default, nobody is asked.
	Room func(n int64) error
}

// Writer writes a file. It ends with Commit or Abort; both may be called again, and do nothing then.
type Writer struct {
	access   *Access
	target   Target
	keep     []string
	place    *place // the folder
	file     *os.File
	temp     string
	have     int64
	most     int64 // bytes that it may have
	room     int64 // bytes up to which there is room, as Target.Room has said
	early    int64 // bytes that are on their way to the disk
	failed   bool  // a write has
	sums     sums
	uid, gid int
	mode     fs.FileMode
	done     bool
}

// tempPrefix and tempSuffix name temporary files, so that who finds one after a crash sees what it was.
const (
	tempPrefix = ".upload-"
	tempSuffix = ".part"
)

const (
	// earlySize is how many bytes are gathered before they are sent to the disk and summed, so that few are left to be waited for at the
	// end.
	earlySize = 512 << 10

	// roomStep is for how many bytes room is asked for at once.
	roomStep = 1 << 20
)

// errFailed is what Commit says of a file that could not be written.
var errFailed = errors.New("not all of it could be written")

// specialBits are those that give rights beyond those of who runs the file.
const specialBits = fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

// Create begins to write a file. What is wrong with the target is found before anything is written.
func (a *Access) Create(t Target) (*Writer, error) {
	if err := a.check(&t); err != nil {
		return nil, err
	}
	uid, gid, err := lookOwner(t.Owner, t.Group)
	if err != nil {
		return nil, err
	}
	dir, err := clean(t.Dir)
	if err != nil {
		return nil, err
	}
	folders := a.Write
	if real, err := a.linked(filepath.Join(dir, t.Name)); err != nil {
		return nil, err
	} else if real != "" {
		dir, t.Name, folders = filepath.Dir(real), filepath.Base(real), resolved(a.Write)
	}
	return within(folders, dir, func(p *place) (*Writer, error) {
		w := &Writer{access: a, target: t, keep: a.Keep, uid: uid, gid: gid, mode: t.Mode, most: t.Size}
		if t.Grows {
			w.most = a.Size
		}
		if err := w.open(p); err != nil {
			return nil, named(filepath.Join(p.path, t.Name), err)
		}
		return w, nil
	})
}

// Remove removes a file, or a link, below the folders that may be written.
func (a *Access) Remove(path string) error {
	path, err := clean(path)
	if err != nil {
		return err
	}
	_, err = within(a.Write, filepath.Dir(path), func(p *place) (struct{}, error) {
		w := Writer{target: Target{Name: filepath.Base(path)}, keep: a.Keep, place: p}
		at := filepath.Join(p.rel, w.target.Name)
		info, err := p.root.Lstat(at)
		if err == nil && info.Mode()&fs.ModeSymlink == 0 {
			err = w.writable(info)
		}
		if err == nil {
			err = p.root.Remove(at)
		}
		return struct{}{}, named(path, err)
	})
	return err
}

// check says what is wrong with a target whatever is on the disk.
func (a *Access) check(t *Target) error {
	switch {
	case t.Name == "" || t.Name == "." || t.Name == ".." || strings.ContainsAny(t.Name, "/\x00") || filepath.Base(t.Name) != t.Name || !filepath.IsLocal(t.Name):
		return fmt.Errorf("%w: %.200q is no name of a file", ErrInvalid, t.Name)
	case t.Size < 0:
		return fmt.Errorf("%w: %d bytes", ErrSize, t.Size)
	case a.Size > 0 && t.Size > a.Size:
		return fmt.Errorf("%w: %d bytes of %d", ErrTooLarge, t.Size, a.Size)
	case t.Mode&^(fs.ModePerm|specialBits) != 0:
		return fmt.Errorf("%w: mode %v", ErrNotFile, t.Mode)
	case t.Mode&specialBits != 0 && !a.SetID:
		return fmt.Errorf("%w: %v is not allowed", ErrMode, t.Mode)
	}
	return nil
}

// linked is where a target leads that is a link, "" for one that is none. What it leads to is written, and it stays a link.
func (a *Access) linked(path string) (string, error) {
	mode, err := within(a.Write, filepath.Dir(path), func(p *place) (fs.FileMode, error) {
		info, err := p.root.Lstat(filepath.Join(p.rel, filepath.Base(path)))
		if err != nil {
			return 0, err
		}
		return info.Mode(), nil
	})
	if err != nil || mode&fs.ModeSymlink == 0 {
		if errors.Is(err, ErrOutside) {
			return "", err
		}
		return "", nil // what else is wrong comes again
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", fmt.Errorf("%w: %.200q is a link that leads nowhere", ErrNotFile, path)
	}
	p, err := locate(append(resolved(a.Write), a.Write...), real)
	if err != nil {
		return "", fmt.Errorf("%w: %.200q is a link", ErrOutside, path)
	}
	p.close()
	return real, nil
}

// open makes the folder and the temporary file in it. The place stays open for the rest.
func (w *Writer) open(p *place) error {
	if err := p.root.MkdirAll(p.rel, 0o755); err != nil {
		if info, e := p.root.Stat(p.rel); e == nil && !info.IsDir() {
			return fmt.Errorf("%w: %.200q is %s", ErrNotFolder, p.path, kindOrFile(info.Mode()))
		}
		return err
	}
	dir, err := p.root.OpenRoot(p.rel)
	if err != nil {
		return err
	}
	w.place = &place{root: dir, rel: ".", path: p.path}
	if err := w.inherit(); err != nil {
		w.place.close()
		return err
	}
	sweep(dir)
	w.temp = tempPrefix + rand.Text()[:16] + tempSuffix
	w.file, err = dir.OpenFile(w.temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		w.place.close()
		return err
	}
	lock(w.file)
	w.sums.file = w.file
	if t := w.target.MD5; t != nil {
		w.sums.add("MD5", md5.New(), t[:])
	}
	switch t := w.target.SHA256; {
	case w.target.Grows:
		w.sums.add("SHA-256", sha256.New(), nil) // that it will be wanted is known
	case t != nil:
		w.sums.add("SHA-256", sha256.New(), t[:])
	}
	return nil
}

// inherit takes from the file that is there what the target does not say, unless it is none, or one that is not to be written.
func (w *Writer) inherit() error {
	info, err := w.place.root.Lstat(w.target.Name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if w.mode == 0 {
			w.mode = 0o644
		}
		return nil
	case err != nil:
		return err
	}
	if err := w.writable(info); err != nil {
		return err
	}
	if w.mode == 0 {
		w.mode = info.Mode().Perm()
	}
	if uid, gid, ok := ids(info); ok {
		if w.uid < 0 {
			w.uid = int(uid)
		}
		if w.gid < 0 {
			w.gid = int(gid)
		}
	}
	return nil
}

// writable says whether what is there may be replaced.
func (w *Writer) writable(info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%w: %.200q is %s", ErrNotFile, w.Path(), kind(info.Mode()))
	}
	for _, file := range w.keep {
		if kept, err := os.Stat(file); err == nil && os.SameFile(kept, info) {
			return fmt.Errorf("%w: %.200q is not to be written", ErrOutside, w.Path())
		}
	}
	return nil
}

// Path is the path of the file.
func (w *Writer) Path() string { return filepath.Join(w.place.path, w.target.Name) }

// Offset is how many bytes were written.
func (w *Writer) Offset() int64 { return w.have }

// Settle says all of a file that grew: size, sums, and what else has become known of it since Create. Folder and name stay.
func (w *Writer) Settle(t Target) error {
	t.Dir, t.Name = w.target.Dir, w.target.Name
	if err := w.access.check(&t); err != nil {
		return err
	}
	uid, gid, err := lookOwner(t.Owner, t.Group)
	if err != nil {
		return err
	}
	w.target, w.most, w.uid, w.gid, w.mode = t, t.Size, uid, gid, t.Mode
	if t.SHA256 != nil {
		w.sums.list[0].want = t.SHA256[:]
	} else {
		w.sums.list = nil
	}
	if t.MD5 != nil { // that it would be wanted was not known
		w.sums.add("MD5", md5.New(), t.MD5[:])
	}
	return named(w.Path(), w.inherit())
}

// Write adds bytes. More than were announced are an error.
func (w *Writer) Write(b []byte) (int, error) {
	switch fits := int64(len(b)) <= w.most-w.have; {
	case fits || w.target.Grows && w.most == 0:
	case w.target.Grows:
		return 0, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, w.most)
	default:
		return 0, fmt.Errorf("%w: more than %d bytes", ErrSize, w.most)
	}
	if err := w.askRoom(int64(len(b))); err != nil {
		return 0, err
	}
	n, err := w.file.Write(b)
	w.failed = w.failed || err != nil
	if w.have += int64(n); w.have-w.early >= earlySize {
		writeback(w.file, w.early, w.have-w.early)
		w.early = w.have
		w.sums.follow(w.have)
	}
	return n, named(w.Path(), err)
}

// askRoom asks for room for n more bytes, if there is somebody to ask and he has not said yes to them yet.
func (w *Writer) askRoom(n int64) error {
	if w.target.Room == nil || w.have+n <= w.room {
		return nil
	}
	if n = max(n, roomStep); w.most > 0 {
		n = min(n, w.most-w.have)
	}
	if err := w.target.Room(n); err != nil {
		w.failed = true
		return err
	}
	w.room = w.have + n
	return nil
}

// Reset forgets what was written, to begin again.
func (w *Writer) Reset() error {
	w.sums.reset()
	w.have, w.early, w.room, w.failed = 0, 0, 0, false
	_, err := w.file.Seek(0, io.SeekStart)
	return errors.Join(err, w.file.Truncate(0))
}

// Commit checks what was written and puts it in place. After an error the old file is there, and the Writer has ended.
func (w *Writer) Commit() error {
	if w.done {
		return nil
	}
	err := w.commit()
	w.end(err != nil)
	return named(w.Path(), err)
}

func (w *Writer) commit() error {
	if w.failed {
		return errFailed
	}
	if w.have != w.target.Size {
		return fmt.Errorf("%w: %d bytes of %d", ErrSize, w.have, w.target.Size)
	}
	w.sums.follow(w.have)
	if w.mode&specialBits != 0 { // these are for what is known to be right
		if err := w.sums.compare(); err != nil {
			return err
		}
	}
	if err := w.own(); err != nil {
		return err
	}
	if err := w.file.Sync(); err != nil { // while the rest is summed
		return err
	}
	if err := w.sums.compare(); err != nil {
		return err
	}
	if info, err := w.place.root.Lstat(w.target.Name); err == nil {
		if err := w.writable(info); err != nil {
			return err
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := w.file.Close(); err != nil { // Windows renames no file that is open
		return err
	}
	if err := w.place.root.Rename(w.temp, w.target.Name); err != nil {
		return err
	}
	return syncFolder(w.place.root)
}

// own sets owner, group and mode of what was written. The owner comes first: a change of it takes setuid away.
func (w *Writer) own() error {
	if info, err := w.file.Stat(); err != nil {
		return err
	} else if uid, gid, ok := ids(info); ok && (w.uid >= 0 && uint32(w.uid) != uid || w.gid >= 0 && uint32(w.gid) != gid) {
		if err := w.file.Chown(w.uid, w.gid); err != nil && (w.target.Owner != "" || w.target.Group != "") {
			return err
		}
	}
	return w.file.Chmod(w.mode)
}

// Abort removes what was written.
func (w *Writer) Abort() {
	if !w.done {
		w.end(true)
	}
}

func (w *Writer) end(remove bool) {
	w.done = true
	w.sums.wait()      // the file is read for them
	_ = w.file.Close() // what matters was said by Sync
	if remove {
		_ = w.place.root.Remove(w.temp) // after a rename there is none
	}
	w.place.close()
}
