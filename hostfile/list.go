package hostfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"time"
)

// Entry is what a folder has under a name.
type Entry struct {
	Name    string
	Mode    fs.FileMode // of the entry itself; a link to a folder has the bits of both
	User    string      // "" if the number has no name
	Group   string      // "" if the number has no name
	Size    int64       // bytes
	ModTime time.Time
	Link    string // where a link leads, as it says, "" for one that leads nowhere that is allowed
}

// MaxEntries is how many entries of a folder are listed; one that has more is an error.
const MaxEntries = 50_000

// List lists a folder, by name. What vanishes meanwhile is left out.
func (a *Access) List(dir string) ([]Entry, error) {
	return within(a.Read, dir, func(p *place) ([]Entry, error) {
		list, err := p.list()
		return list, named(p.path, err)
	})
}

func (p *place) list() ([]Entry, error) {
	info, err := p.root.Stat(p.rel)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%w: %.200q is %s", ErrNotFolder, p.path, kindOrFile(info.Mode()))
	}
	dir, err := p.root.OpenRoot(p.rel)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	f, err := dir.Open(".")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	found, err := f.ReadDir(MaxEntries + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(found) > MaxEntries {
		return nil, fmt.Errorf("%w: %.200q has more than %d entries", ErrTooLarge, p.path, MaxEntries)
	}
	var names owners
	list := make([]Entry, 0, len(found))
	for _, d := range found {
		info, err := dir.Lstat(d.Name())
		if err != nil {
			continue // it has vanished
		}
		e := Entry{Name: d.Name(), Mode: info.Mode(), Size: info.Size(), ModTime: info.ModTime()}
		e.User, e.Group = names.of(info)
		if e.Mode&fs.ModeSymlink != 0 {
			p.follow(&e)
		}
		list = append(list, e)
	}
	sortByName(list)
	return list, nil
}

// follow says where a link leads, within the folder that is allowed.
func (p *place) follow(e *Entry) {
	at := filepath.Join(p.rel, e.Name)
	target, err := p.root.Stat(at)
	if err != nil {
		return
	}
	e.Mode |= target.Mode() & fs.ModeDir
	e.Link, _ = p.root.Readlink(at) // "" for one that has vanished
}

func kindOrFile(mode fs.FileMode) string {
	if mode.IsRegular() {
		return "a file"
	}
	return kind(mode)
}

// owners knows the names of users and groups that it has looked up.
type owners struct {
	users, groups map[uint32]string
}

func (o *owners) of(info fs.FileInfo) (name, group string) {
	uid, gid, ok := ids(info)
	if !ok {
		return "", ""
	}
	if o.users == nil {
		o.users, o.groups = make(map[uint32]string), make(map[uint32]string)
	}
	name, ok = o.users[uid]
	if !ok {
		if u, err := user.LookupId(strconv.Itoa(int(uid))); err == nil {
			name = u.Username
		}
		o.users[uid] = name
	}
	group, ok = o.groups[gid]
	if !ok {
		if g, err := user.LookupGroupId(strconv.Itoa(int(gid))); err == nil {
			group = g.Name
		}
		o.groups[gid] = group
	}
	return name, group
}

// lookOwner gives the numbers of an owner and a group by name or number, -1 for those that are empty.
func lookOwner(name, group string) (uid, gid int, err error) {
	uid, gid = -1, -1
	if name != "" {
		u, err := user.Lookup(name)
		if _, e := strconv.ParseUint(name, 10, 31); err != nil && e == nil {
			u, err = &user.User{Uid: name}, nil
		}
		if err != nil {
			return -1, -1, fmt.Errorf("%w: %.100q", ErrNoUser, name)
		}
		if uid, err = strconv.Atoi(u.Uid); err != nil {
			return -1, -1, fmt.Errorf("%w: %.100q has no number", ErrNoUser, name)
		}
	}
	if group != "" {
		g, err := user.LookupGroup(group)
		if _, e := strconv.ParseUint(group, 10, 31); err != nil && e == nil {
			g, err = &user.Group{Gid: group}, nil
		}
		if err != nil {
			return -1, -1, fmt.Errorf("%w: %.100q", ErrNoUser, group)
		}
		if gid, err = strconv.Atoi(g.Gid); err != nil {
			return -1, -1, fmt.Errorf("%w: %.100q has no number", ErrNoUser, group)
		}
	}
	return uid, gid, nil
}

// opened is a file that is open, and its state then.
func opened(p *place) (*os.File, fs.FileInfo, error) {
	f, err := p.root.OpenFile(p.rel, os.O_RDONLY|nonBlocking, 0) // opening a pipe would wait for a writer
	if err != nil {
		// A socket cannot be opened, which is no good reason to be told.
		if info, e := p.root.Stat(p.rel); e == nil && !info.Mode().IsRegular() {
			return nil, nil, fmt.Errorf("%w: %.200q is %s", ErrNotFile, p.path, kind(info.Mode()))
		}
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%w: %.200q is %s", ErrNotFile, p.path, kind(info.Mode()))
	}
	if err != nil {
		_ = f.Close()
		return nil, nil, err
	}
	return f, info, nil
}
