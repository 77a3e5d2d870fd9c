//go:build unix

package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// rootUser is who a service runs as only when that is asked for.
const rootUser = "root"

// accountMark is in the description of an account that install has made: uninstall removes no other.
const accountMark = "made by install of"

// defaultUser is who a service runs as when nothing else is asked for: an account of its own.
func defaultUser(service string) string { return service }

// ensureAccount makes the account that a service runs as, if there is none and nobody has named another. Its folder is the program's.
func ensureAccount(ctx context.Context, name, service, home string) (made bool, err error) {
	var unknown user.UnknownUserError
	if _, err := user.Lookup(name); err == nil || !errors.As(err, &unknown) {
		return false, err
	}
	if name != defaultUser(service) {
		return false, fmt.Errorf("there is no user %q", name)
	}
	for _, words := range [][]string{
		{"useradd", "--system", "--user-group", "--no-create-home", "--home-dir", home, "--shell", "/usr/sbin/nologin", "--comment", accountMark + " " + service, name},
		{"adduser", "-S", "-D", "-H", "-h", home, "-s", "/sbin/nologin", "-g", accountMark + " " + service, name}, // busybox
	} {
		if _, err := exec.LookPath(words[0]); err != nil {
			continue
		}
		if said, err := exec.CommandContext(ctx, words[0], words[1:]...).CombinedOutput(); err != nil {
			return false, fmt.Errorf("make user %q: %s: %w: %s", name, words[0], err, strings.TrimSpace(string(said)))
		}
		return true, nil
	}
	return false, fmt.Errorf("there is no user %q, and no useradd to make it: name one with --user", name)
}

// removeAccount removes an account that ensureAccount has made.
func removeAccount(ctx context.Context, service string) (removed bool, err error) {
	u, err := user.Lookup(defaultUser(service))
	if err != nil || !strings.HasPrefix(u.Name, accountMark+" "+service) {
		return false, nil //nolint:nilerr // there is no such account
	}
	a, err := lookupAccount(u.Username)
	if err == nil {
		err = a.takeBack(u.HomeDir)
	}
	if err != nil {
		return false, fmt.Errorf("user %q stays: %w", u.Username, err)
	}
	for _, words := range [][]string{{"userdel", u.Username}, {"deluser", u.Username}} {
		if _, err := exec.LookPath(words[0]); err != nil {
			continue
		}
		if said, err := exec.CommandContext(ctx, words[0], words[1:]...).CombinedOutput(); err != nil {
			return false, fmt.Errorf("remove user %q: %w: %s", u.Username, err, strings.TrimSpace(string(said)))
		}
		return true, nil
	}
	return false, nil
}

// account is who a service runs as.
type account struct {
	name string
	uid  int
	gid  int
	gids []int
}

func lookupAccount(name string) (account, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return account{}, err
	}
	a := account{name: name}
	if a.uid, err = strconv.Atoi(u.Uid); err != nil {
		return a, err
	}
	if a.gid, err = strconv.Atoi(u.Gid); err != nil {
		return a, err
	}
	ids, err := u.GroupIds()
	if err != nil {
		return a, err
	}
	for _, id := range ids {
		if n, err := strconv.Atoi(id); err == nil {
			a.gids = append(a.gids, n)
		}
	}
	return a, nil
}

// give makes an account the owner of what its program must write: the config file with the folder conf, since a file is written
// whole or not at all, and the folders that the config names; and of the files that only their owner may read. Folders outside of
// the program's own are made when they are missing, and else stay whose they are, as files there do. Links are not followed.
func (a account) give(conf string, plan Plan) (given []string, err error) {
	home := Home(conf)
	take := func(path string) {
		if e := os.Lchown(path, a.uid, a.gid); e != nil {
			err = errors.Join(err, e)
			return
		}
		given = append(given, path)
	}
	take(conf)
	if dir := filepath.Dir(conf); dir != home {
		take(dir)
	}
	within := func(path string) bool {
		rel, e := filepath.Rel(home, path)
		return e == nil && rel != "." && filepath.IsLocal(rel)
	}
	for _, file := range plan.Files {
		if info, e := os.Lstat(file); e == nil && info.Mode().IsRegular() && within(file) {
			take(file)
		}
	}
	for _, dir := range plan.Folders {
		own := within(dir)
		if _, e := os.Lstat(dir); e == nil && !own {
			continue
		}
		if e := os.MkdirAll(dir, 0o750); e != nil {
			err = errors.Join(err, e)
			continue
		}
		given = append(given, dir)
		err = errors.Join(err, a.giveAll(dir))
	}
	return given, err
}

// giveAll makes an account the owner of a folder and of what is in it. Nobody who may write there can lead it elsewhere.
func (a account) giveAll(dir string) error {
	root, err := openReal(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return root.Lchown(filepath.FromSlash(path), a.uid, a.gid)
	})
}

// takeBack makes root the owner of what an account that goes has in its folder, keys and data: the next account that is made may get
// its number. Links are not followed.
func (a account) takeBack(home string) error {
	root, err := openReal(home)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		path = filepath.FromSlash(path)
		info, err := root.Lstat(path)
		if err != nil {
			return err
		}
		if st, ok := info.Sys().(*syscall.Stat_t); !ok || int(st.Uid) != a.uid {
			return nil
		}
		return root.Lchown(path, 0, 0)
	})
}

// openReal opens a folder, and no link to one: who may write where it is would have all that it leads to.
func openReal(dir string) (*os.Root, error) {
	info, err := os.Lstat(dir)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	if opened, err := root.Stat("."); err != nil || !os.SameFile(info, opened) {
		return nil, errors.Join(fmt.Errorf("%s is a link: name the folder itself in the config", dir), err, root.Close())
	}
	return root, nil
}

// reaches returns what keeps an account from running a program: a folder above it, or the file itself.
func (a account) reaches(file string) error {
	if a.uid == 0 {
		return nil
	}
	for path := file; ; path = filepath.Dir(path) {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if st, ok := info.Sys().(*syscall.Stat_t); ok && !a.may(info.Mode(), int(st.Uid), int(st.Gid)) {
			return fmt.Errorf("user %s may not enter %s: mode %v", a.name, path, info.Mode())
		}
		if path == filepath.Dir(path) {
			return nil
		}
	}
}

// may tells whether a mode lets the account execute or enter.
func (a account) may(mode fs.FileMode, uid, gid int) bool {
	switch {
	case uid == a.uid:
		return mode&0o100 != 0
	case gid == a.gid || slices.Contains(a.gids, gid):
		return mode&0o010 != 0
	}
	return mode&0o001 != 0
}
