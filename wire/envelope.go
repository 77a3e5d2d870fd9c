package wire

import "reflect"

// Plugin is the member plugin of the envelope: which plugin a host of legacy plugins needs for the task.
type Plugin struct {
	Name    string   `json:"name"`
	Version string   `json:"version"`
	MD5     [16]byte `json:"md5"` // of the plugin's file
	URI     string   `json:"uri"` // where the file is, on the server
}

var pluginCodec = mustCodec(reflect.TypeFor[Plugin]())

func mustCodec(t reflect.Type) *codec {
	c, err := (&compiler{made: make(map[reflect.Type]*codec)}).codec(t)
	if err != nil {
		panic(err)
	}
	return c
}

// Plugin decodes the member plugin of the envelope. The error of a frame without one matches [ErrNoPayload].
func (f *Frame) Plugin() (Plugin, error) {
	s := new(struct {
		decoder
		p Plugin
	})
	s.data, s.left = f.data, budget(len(f.data))
	at := f.find("plugin")
	if at == 0 || s.null(at) {
		s.fail(at, ErrNoPayload, "")
	} else {
		pluginCodec.decode(&s.decoder, at, reflect.ValueOf(&s.p).Elem())
	}
	if s.err != nil {
		s.err.Type, s.err.Name = f.Type, f.Type.Name()
		s.err.inField("plugin")
		return Plugin{}, s.err
	}
	return s.p, nil
}

// plugin appends the member plugin of the envelope.
func (e *encoder) plugin(p *Plugin) bool {
	if p == nil {
		return true
	}
	e.b = append(e.b, `,"plugin":`...)
	if !pluginCodec.encode(e, reflect.ValueOf(p).Elem()) {
		e.err.inField("plugin")
		return false
	}
	return true
}

// task appends the member tid of the envelope.
func (e *encoder) task(task string) bool {
	if task == "" {
		return true
	}
	e.b = append(e.b, `,"tid":`...)
	start := len(e.b)
	e.b = appendString(e.b, task)
	if len(e.b)-start-2 <= MaxTask || e.limited(task, MaxTask) {
		return true
	}
	e.err.inField("tid")
	return false
}

// fits checks that the frame that begins at start can be received.
func (e *encoder) fits(start int) bool {
	n := len(e.b) - start
	switch {
	case n > maxFrame:
		return e.fail(ErrLength, "")
	case e.cost > budget(n):
		return e.fail(ErrMemory, "")
	}
	return true
}

// AppendError appends the frame of an error (type 0) to b. A task that is longer than MaxTask can be nobody's, and is
// left out.
func AppendError(b []byte, task, text string) []byte {
	e := encoder{b: append(b, `{"type":0`...)}
	if start := len(e.b); !e.task(task) {
		e.b = e.b[:start]
	}
	e.b = append(e.b, `,"errmsg":`...)
	e.b = appendString(e.b, text)
	return append(e.b, '}')
}
