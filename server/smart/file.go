package smart

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/files"
	"github.com/jkstack/jkframe/v2/server/form"
	"github.com/jkstack/jkframe/v2/server/rest"
	"github.com/jkstack/jkframe/v2/wire"
)

// say answers with a text.
func say(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // a client that is gone needs no answer
}

// isMissing reports whether an agent says that there is no such file or folder: agents of the field do so in the words of their
// system alone.
func isMissing(e *server.AgentError) bool {
	if e.Why != "" {
		return e.Why == wire.WhyNotFound
	}
	for _, words := range []string{"no such file or directory", "cannot find the file", "cannot find the path"} {
		if strings.Contains(e.Text, words) {
			return true
		}
	}
	return false
}

func (d *Dialect) download(w http.ResponseWriter, r *http.Request) {
	server.Unhurried(w)
	err := d.serveDownload(w, r)
	if err == nil {
		return
	}
	var (
		file  *server.AgentError
		plain *rest.Error
	)
	f := failureOf(err)
	status := http.StatusServiceUnavailable
	switch {
	case errors.As(err, &file) && isMissing(file):
		status, f.msg = http.StatusNotFound, "file not found"
	case errors.Is(err, files.ErrChecksum):
		status = http.StatusConflict
	case errors.As(err, &plain) && plain.Code == http.StatusRequestedRangeNotSatisfiable:
		status = plain.Code
	case f.code == http.StatusNotFound, f.code == http.StatusRequestTimeout, f.code == http.StatusBadRequest:
		status = f.code
	}
	say(w, status, f.msg)
}

func (d *Dialect) serveDownload(w http.ResponseWriter, r *http.Request) error {
	v, err := form.Read(w, r, nil)
	if err != nil {
		return err
	}
	id, err := v.Need("id")
	if err != nil {
		return err
	}
	dir, err := v.Need("dir")
	if err != nil {
		return err
	}
	timeout, err := v.Seconds("timeout", files.DefaultDownloadTime, files.MaxTime)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	return d.files.Serve(w, r.WithContext(ctx), id, dir)
}

type lsView struct {
	Dir   string           `json:"dir"`
	Files []files.FileView `json:"files"`
}

func (d *Dialect) ls(r *http.Request, v *form.Form) (any, error) {
	id, err := v.Need("id")
	if err != nil {
		return nil, err
	}
	dir, err := v.Need("dir")
	if err != nil {
		return nil, err
	}
	rep, err := d.files.List(r.Context(), id, dir)
	if file := (*server.AgentError)(nil); errors.As(err, &file) {
		if isMissing(file) {
			return nil, &failure{http.StatusNotFound, "directory not found"}
		}
		return nil, &failure{http.StatusInternalServerError, file.Text}
	}
	if err != nil {
		return nil, err
	}
	return lsView{rep.Dir, files.Views(rep)}, nil
}

// upload writes the file of a form that may still come.
func (d *Dialect) upload(r *http.Request, v *form.Form) (any, error) {
	_, err := d.files.UploadForm(r.Context(), v, func() (o files.Order, err error) {
		id, err := v.Need("id")
		if err != nil {
			return o, err
		}
		if _, err := d.fleet.Get(r.Context(), id); err != nil {
			return o, err
		}
		if o, err = files.ReadUpload(v, id, 10); err != nil {
			return o, err
		}
		o.Auth, o.User, o.Pass = v.Get("auth"), v.Get("user"), v.Get("pass")
		return o, secret(r, o.Pass)
	})
	return null{}, putError(err)
}

// putError is the error of writing a file on an agent's host. A content that is not what was announced has a code of its own, and
// being late has none.
func putError(err error) error {
	var (
		file   *server.AgentError
		answer *rest.Error
	)
	switch {
	case errors.Is(err, form.ErrSum), errors.Is(err, files.ErrChecksum):
		return &failure{codeContent, "invalid checksum"}
	case errors.As(err, &file) && (file.Why == wire.WhyChecksum || strings.Contains(file.Text, "invalid checksum")):
		return &failure{codeContent, file.Text}
	case errors.As(server.Answer(err), &answer) && answer.Code == http.StatusGatewayTimeout:
		return &failure{http.StatusInternalServerError, answer.Msg}
	}
	return err
}

type dirView struct {
	Dir string `json:"dir"`
}

func (d *Dialect) uploadFrom(r *http.Request, v *form.Form) (any, error) {
	var u files.Upload
	var id, uri string
	for name, to := range map[string]*string{"id": &id, "dir": &u.Dir, "name": &u.Name, "uri": &uri} {
		var err error
		if *to, err = v.Need(name); err != nil {
			return nil, err
		}
	}
	if _, err := d.fleet.Get(r.Context(), id); err != nil {
		return nil, err
	}
	u.Auth, u.User, u.Pass, u.OwnUser, u.OwnGroup = v.Get("auth"), v.Get("user"), v.Get("pass"), v.Get("own_user"), v.Get("own_group")
	if err := secret(r, u.Pass); err != nil {
		return nil, err
	}
	var err error
	if u.Mode, err = files.Mode(v, 10); err != nil {
		return nil, err
	}
	timeout, err := v.Seconds("timeout", files.DefaultUploadTime, files.MaxTime)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	file, err := d.fetch(ctx, u.Name, uri)
	if err != nil {
		return nil, putError(err)
	}
	defer file.Close()
	u.Content = file
	path, err := d.files.Upload(ctx, id, u)
	return dirView{path}, putError(err)
}

// fetch gets a file from an address that is allowed.
func (d *Dialect) fetch(ctx context.Context, name, uri string) (*form.File, error) {
	u, err := d.sources.Check(uri)
	if err != nil {
		return nil, form.Bad("uri: %v", err)
	}
	resp, err := d.sources.Get(ctx, u)
	if err != nil {
		return nil, &failure{http.StatusInternalServerError, err.Error()}
	}
	defer resp.Body.Close()
	file, err := d.files.Store().Take(name, resp.Body)
	var own *rest.Error // of this server, whose disk may be full
	if err != nil && ctx.Err() == nil && !errors.As(err, &own) {
		return nil, &failure{codeContent, err.Error()}
	}
	return file, err
}
