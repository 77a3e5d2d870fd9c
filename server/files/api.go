package files

import (
	"context"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/form"
	"github.com/jkstack/jkframe/v2/server/rest"
	"github.com/jkstack/jkframe/v2/wire"
)

// defaultMode is the mode of a file when nobody says.
const defaultMode = 0o644

// FileView is an entry of a folder in the answers of the API.
type FileView struct {
	Name    string `json:"name"`
	Mode    uint32 `json:"auth" doc:"mode, with the bits of Go's os.FileMode"`
	User    string `json:"user"`
	Group   string `json:"group"`
	Size    uint64 `json:"size" doc:"bytes"`
	ModTime int64  `json:"mod_time" doc:"Unix seconds"`
	IsDir   bool   `json:"is_dir"`
	IsLink  bool   `json:"is_link"`
	LinkDir string `json:"link_dir,omitempty" doc:"where a link leads"`
}

// Views are the entries of a folder.
func Views(r wire.LsReply) []FileView {
	views := make([]FileView, len(r.Files))
	for i, f := range r.Files {
		views[i] = FileView{
			Name: f.Name, Mode: uint32(f.Mode), User: f.User, Group: f.Group, Size: f.Size, ModTime: f.ModTime.Unix(),
			IsDir: f.Mode.IsDir(), IsLink: f.IsLink, LinkDir: f.LinkDir,
		}
	}
	return views
}

type lsInput struct {
	ID  string `path:"id" doc:"id of the agent"`
	Dir string `query:"dir" doc:"folder" example:"/var/log"`
}

type downloadInput struct {
	ID      string `path:"id" doc:"id of the agent"`
	Dir     string `query:"dir" doc:"path of the file" example:"/var/log/syslog"`
	Timeout int    `query:"timeout" minimum:"1" maximum:"86400" default:"600" doc:"how long it may take, in seconds"`
	Range   string `header:"Range" doc:"bytes=n- for the rest of a file"`
	IfRange string `header:"If-Range" doc:"Last-Modified of the beginning: the whole file if it has changed since"`
}

type uploadInput struct {
	ID string `path:"id" doc:"id of the agent"`
}

// reaching are the errors of a call that asks an agent.
func reaching(more ...int) []int {
	return append(more, http.StatusBadRequest, http.StatusNotFound, http.StatusGone, http.StatusFailedDependency,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout)
}

func (f *Files) routes(h *server.Host) {
	server.Register(h, server.RoleRead, huma.Operation{
		OperationID: "file-ls", Method: http.MethodGet, Path: "/api/file/{id}/ls", Summary: "What is in a folder of an agent's host",
		Errors: reaching(),
	}, func(ctx context.Context, in *lsInput) (*rest.Body[rest.Payload[[]FileView]], error) {
		r, err := f.List(ctx, in.ID, in.Dir)
		if err != nil {
			return nil, err
		}
		return rest.OK(Views(r)), nil
	})
	server.RegisterRaw(h, server.RoleOperate, huma.Operation{
		OperationID: "file-download", Method: http.MethodGet, Path: "/api/file/{id}/download", Summary: "A file of an agent's host",
		Responses: rest.Binary("application/octet-stream", "the file"),
		Errors:    reaching(http.StatusConflict, http.StatusRequestedRangeNotSatisfiable),
	}, func(w http.ResponseWriter, r *http.Request, in *downloadInput) error {
		ctx, cancel := context.WithTimeout(r.Context(), time.Duration(in.Timeout)*time.Second)
		defer cancel()
		return f.Serve(w, r.WithContext(ctx), in.ID, in.Dir)
	})
	server.RegisterRaw(h, server.RoleOperate, huma.Operation{
		OperationID: "file-upload", Method: http.MethodPost, Path: "/api/file/{id}/upload", Summary: "Write a file on an agent's host",
		RequestBody: rest.Form(
			rest.Field{Name: "dir", Type: "string", Doc: "folder; $$TMP$$: that for temporary files", Required: true},
			rest.Field{Name: "file", Type: "file", Doc: "with its name", Required: true},
			rest.Field{Name: "md5", Type: "string", Doc: "of the file, in hexadecimal"},
			rest.Field{Name: "mod", Type: "string", Doc: "mode, octal; by default, 644"},
			rest.Field{Name: "own_user", Type: "string", Doc: "owner"},
			rest.Field{Name: "own_group", Type: "string", Doc: "group"},
			rest.Field{Name: "timeout", Type: "integer", Doc: "how long it may take, in seconds; by default, 60"},
		),
		Responses: rest.JSON[struct{}](h.API()), Errors: reaching(http.StatusConflict, http.StatusRequestEntityTooLarge),
	}, f.serveUpload)
	h.OnlyOrders("GET /api/file/{id}/download", "POST /api/file/{id}/upload")
}

func (f *Files) serveUpload(w http.ResponseWriter, r *http.Request, in *uploadInput) error {
	if _, _, err := f.expect(r.Context(), in.ID); err != nil { // before all is taken for nothing
		return err
	}
	v, err := form.Begin(w, r, f.store)
	if err != nil {
		return err
	}
	defer v.Close()
	_, err = f.UploadForm(r.Context(), v, func() (Order, error) { return ReadUpload(v, in.ID, 8) })
	if err != nil {
		return err
	}
	rest.WriteJSON(w, http.StatusOK, rest.Done{})
	return nil
}

// ReadUpload makes an order of a form, whose mode is written in the given base.
func ReadUpload(v *form.Form, agent string, base int) (o Order, err error) {
	o.Agent = agent
	if o.Dir, err = v.Need("dir"); err != nil {
		return o, err
	}
	file, err := v.NeedFile()
	if err != nil {
		return o, err
	}
	if file.Name == "" {
		return o, form.Bad("file: it has no name")
	}
	o.Name, o.Content = file.Name, file
	o.OwnUser, o.OwnGroup = v.Get("own_user"), v.Get("own_group")
	if o.Mode, err = Mode(v, base); err != nil {
		return o, err
	}
	o.Timeout, err = v.Seconds("timeout", DefaultUploadTime, MaxTime)
	return o, err
}

// Mode reads the mode of a form, written in the given base; in any base, one that begins with 0 is octal.
func Mode(v *form.Form, base int) (fs.FileMode, error) {
	if text := v.Get("mod"); len(text) > 1 && text[0] == '0' {
		base = 8
	}
	n, err := v.Number("mod", base, defaultMode, 0o7777)
	mode := fs.FileMode(n & 0o777)
	for bit, flag := range map[uint64]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if n&bit != 0 {
			mode |= flag
		}
	}
	return mode, err
}

// subFolder is a folder within that of the feature.
func subFolder(h *server.Host, name string) func() (string, error) {
	return func() (string, error) {
		dir, err := h.Folder()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(dir, name)
		return dir, os.MkdirAll(dir, 0o700)
	}
}
