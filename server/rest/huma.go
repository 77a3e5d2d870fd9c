package rest

import (
	"net/http"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// New makes an API whose answers, and whose description, are those of this package. Its routes go to the mux.
func New(title, version string, mux humago.Mux) huma.API {
	cfg := huma.DefaultConfig(title, version)
	cfg.OpenAPIPath, cfg.DocsPath, cfg.SchemasPath, cfg.CreateHooks = "", "", "", nil
	cfg.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	cfg.Transformers = []huma.Transformer{envelopes}
	cfg.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer"}}
	cfg.Security = []map[string][]string{{"token": {}}}
	return huma.NewAPI(cfg, adapter{humago.NewAdapter(mux, "")})
}

// qualified is the name of a type with that of its package.
var qualified = regexp.MustCompile(`(\w+)\.(\w+)`)

// schemaName names the schema of a type: each feature has types of its own, and may call them as another one does. So the name of
// the package stands before that of the type, but for the server itself and this package.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	all := qualified.FindAllStringSubmatch(t.String(), -1)
	if len(all) == 0 {
		return name
	}
	last := all[len(all)-1]
	switch pkg := last[1]; pkg {
	case "server", "rest":
		return name
	default:
		return strings.ToUpper(pkg[:1]) + pkg[1:] + name
	}
}

// Describe returns the OpenAPI description of what has been registered, as JSON.
func Describe(h huma.API) ([]byte, error) {
	for _, unused := range []string{"ErrorModel", "ErrorDetail"} { // huma's own errors, see envelopes
		delete(h.OpenAPI().Components.Schemas.Map(), unused)
	}
	return h.OpenAPI().MarshalJSON()
}

// Failures describes the answers of an operation that did not work: those of every one, and the given ones.
func Failures(h huma.API, codes ...int) map[string]*huma.Response {
	schema := h.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Error](), true, "")
	all := make(map[string]*huma.Response)
	for _, code := range append(codes, http.StatusUnauthorized, http.StatusForbidden, http.StatusInternalServerError) {
		all[strconv.Itoa(code)] = &huma.Response{
			Description: http.StatusText(code),
			Content:     map[string]*huma.MediaType{"application/json": {Schema: schema}},
		}
	}
	return all
}

// Binary describes an answer of bytes, for [huma.Operation.Responses].
func Binary(contentType, description string) map[string]*huma.Response {
	return map[string]*huma.Response{"200": {
		Description: description,
		Content:     map[string]*huma.MediaType{contentType: {Schema: &huma.Schema{Type: "string", Format: "binary"}}},
	}}
}

// Raw is the answer of a handler that writes its answer itself. An answer that is no JSON needs it.
func Raw(write func(w http.ResponseWriter, r *http.Request)) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		r, w := humago.Unwrap(hc.(answer).inner)
		write(w, r)
	}}
}

// envelopes makes the answers of huma itself look like all others: its way to configure that is a global variable.
func envelopes(_ huma.Context, _ string, v any) (any, error) {
	e, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	msg := []string{e.Detail}
	for _, d := range e.Errors {
		msg = append(msg, d.Location+": "+d.Message)
	}
	return &Error{Code: ourStatus(e.Status), Msg: "bad param: " + strings.Join(msg[min(1, len(e.Errors)):], "; ")}, nil
}

// ourStatus is the status that clients of the field know for a bad parameter.
func ourStatus(status int) int {
	if status == http.StatusUnprocessableEntity {
		return http.StatusBadRequest
	}
	return status
}

// adapter gives huma's answers our status and content type.
type adapter struct{ huma.Adapter }

// Handle implements [huma.Adapter].
func (a adapter) Handle(op *huma.Operation, handler func(huma.Context)) {
	a.Adapter.Handle(op, func(ctx huma.Context) { handler(answer{ctx}) })
}

// inner has another name than the interface has a method.
type inner = huma.Context

// answer is the context of one request.
type answer struct{ inner }

// SetStatus implements [huma.Context].
func (a answer) SetStatus(code int) { a.inner.SetStatus(ourStatus(code)) }

// SetHeader implements [huma.Context].
func (a answer) SetHeader(name, value string) {
	if name == "Content-Type" {
		value = contentType
	}
	a.inner.SetHeader(name, value)
}

// JSON describes an answer that is the payload T, for [huma.Operation.Responses] of a call that writes it itself.
func JSON[T any](h huma.API) map[string]*huma.Response {
	schema := h.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Payload[T]](), true, "")
	return map[string]*huma.Response{"200": {
		Description: http.StatusText(http.StatusOK),
		Content:     map[string]*huma.MediaType{"application/json": {Schema: schema}},
	}}
}

// Field describes a value of a form.
type Field struct {
	Name, Type, Doc string // the type is one of JSON: string, integer, boolean; or file
	Many            bool   // it may come more than once
	Required        bool
}

// Form describes a body that is a form with a file or without one.
func Form(fields ...Field) *huma.RequestBody {
	object := &huma.Schema{Type: "object", Properties: make(map[string]*huma.Schema)}
	for _, f := range fields {
		s := &huma.Schema{Type: f.Type, Description: f.Doc}
		if f.Type == "file" {
			s.Type, s.Format = "string", "binary"
		}
		if f.Many {
			s = &huma.Schema{Type: "array", Items: s}
		}
		object.Properties[f.Name] = s
		if f.Required {
			object.Required = append(object.Required, f.Name)
		}
	}
	return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"multipart/form-data": {Schema: object}}}
}
