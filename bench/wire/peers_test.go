package wire_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"unicode/utf8"

	strict "github.com/go-json-experiment/json"
	"github.com/jkstack/jkframe/v2/wire"
)

// union is a message as the agents and servers of the field declare it.
type union struct {
	Type  int    `json:"type"`
	Task  string `json:"tid,omitempty"`
	Error string `json:"errmsg,omitempty"`

	Come            *wire.ComePayload            `json:"come,omitempty"`
	Handshake       *wire.HandshakePayload       `json:"handshake,omitempty"`
	AgentInfo       *wire.AgentInfoPayload       `json:"ai,omitempty"`
	Exec            *wire.ExecPayload            `json:"exec,omitempty"`
	Execd           *wire.ExecdPayload           `json:"execd,omitempty"`
	ExecData        *wire.ExecDataPayload        `json:"exec_data,omitempty"`
	ExecDone        *wire.ExecDonePayload        `json:"exec_done,omitempty"`
	ExecKill        *wire.ExecKillPayload        `json:"exec_kill,omitempty"`
	LsRequest       *wire.LsRequest              `json:"ls_req,omitempty"`
	LsReply         *wire.LsReply                `json:"ls_rep,omitempty"`
	Upload          *wire.UploadRequest          `json:"upload,omitempty"`
	UploadReply     *wire.UploadReply            `json:"upload_rep,omitempty"`
	Download        *wire.DownloadPayload        `json:"download_req,omitempty"`
	DownloadInfo    *wire.DownloadInfoPayload    `json:"download_rep,omitempty"`
	DownloadData    *wire.DownloadDataPayload    `json:"download_data,omitempty"`
	DownloadError   *wire.DownloadErrorPayload   `json:"download_error,omitempty"`
	HostDynamic     *wire.HostDynamicRequest     `json:"hm_dynamic_req,omitempty"`
	HostDynamicRep  *wire.HostDynamicReply       `json:"hm_dynamic_rep,omitempty"`
	ChangeCollect   *wire.ChangeCollectPayload   `json:"hm_change_status,omitempty"`
	MetricsStatus   *wire.MetricsStatusPayload   `json:"hm_agent_status,omitempty"`
	Install         *wire.InstallPayload         `json:"inst_args,omitempty"`
	InstallReply    *wire.InstallReplyPayload    `json:"inst_rep,omitempty"`
	LogCollect      *wire.LogCollectPayload      `json:"logging_config,omitempty"`
	LogSwitch       *wire.LogSwitchRequest       `json:"logging_req,omitempty"`
	LogSwitchReply  *wire.LogSwitchReply         `json:"logging_rep,omitempty"`
	LogReport       *wire.LogReportPayload       `json:"logging_report,omitempty"`
	LogList         *wire.LogListReply           `json:"ls_log,omitempty"`
	LogDownload     *wire.LogDownloadPayload     `json:"log_dreq,omitempty"`
	LogDownloadInfo *wire.LogDownloadInfoPayload `json:"log_dinfo,omitempty"`
	LogDownloadData *wire.LogDownloadDataPayload `json:"log_ddata,omitempty"`
}

// A peer decodes a frame and encodes one.
type peer struct {
	name   string
	decode func(frame []byte) error
	encode func(b []byte) ([]byte, error)
}

// peersFor returns the peers for one message; encoding/json is the first. get finds the payload in a union.
func peersFor[T any](m *wire.Message[T], frame []byte, get func(*union) *T) ([]peer, error) {
	f, err := wire.Parse(frame)
	if err != nil {
		return nil, err
	}
	v, err := m.Decode(f)
	if err != nil {
		return nil, err
	}
	var u union
	if err := json.Unmarshal(frame, &u); err != nil {
		return nil, err
	}
	return []peer{
		{
			"encoding-json",
			func(frame []byte) error {
				var u union
				if err := json.Unmarshal(frame, &u); err != nil {
					return err
				}
				return found(get(&u))
			},
			func(b []byte) ([]byte, error) { return json.Marshal(&u) },
		},
		{
			"go-json-experiment",
			func(frame []byte) error {
				var u union
				if err := strict.Unmarshal(frame, &u); err != nil {
					return err
				}
				return found(get(&u))
			},
			func(b []byte) ([]byte, error) { return strict.Marshal(&u) },
		},
		{
			"jkframe",
			func(frame []byte) error {
				f, err := wire.Parse(frame)
				if err != nil {
					return err
				}
				v, err := m.Decode(f)
				if err != nil {
					return err
				}
				return found(&v)
			},
			func(b []byte) ([]byte, error) { return m.Append(b, f.Task, &v) },
		},
	}, nil
}

func found[T any](v *T) error {
	if v == nil {
		return errors.New("no payload")
	}
	return nil
}

// alone is exec_data with go-json-experiment and a struct that knows no other message.
func alone(task string, data []byte) peer {
	type message struct {
		Type     int                   `json:"type"`
		Task     string                `json:"tid,omitempty"`
		ExecData *wire.ExecDataPayload `json:"exec_data"`
	}
	v := message{12, task, &wire.ExecDataPayload{Data: data}}
	return peer{
		"go-json-experiment-alone",
		func(frame []byte) error {
			var v message
			if err := strict.Unmarshal(frame, &v); err != nil {
				return err
			}
			return found(v.ExecData)
		},
		func(b []byte) ([]byte, error) { return strict.Marshal(&v) },
	}
}

// byHand is exec_data as if there were no other message and no other way to write it.
func byHand(task string, data []byte) peer {
	return peer{
		"by-hand",
		func(frame []byte) error {
			if !utf8.Valid(frame) {
				return errors.New("not UTF-8")
			}
			rest, ok := bytes.CutPrefix(frame, []byte(`{"type":12,"tid":"`))
			i := bytes.IndexByte(rest, '"')
			if !ok || i < 0 {
				return errors.New("not exec_data")
			}
			task := string(rest[:i])
			rest, ok = bytes.CutPrefix(rest[i:], []byte(`","exec_data":{"data":"`))
			i = bytes.IndexByte(rest, '"')
			if !ok || i < 0 || string(rest[i:]) != `"}}` {
				return errors.New("not exec_data")
			}
			b := make([]byte, base64.StdEncoding.DecodedLen(i))
			n, err := base64.StdEncoding.Decode(b, rest[:i])
			if n == 0 || task == "" {
				return errors.New("nothing")
			}
			return err
		},
		func(b []byte) ([]byte, error) {
			b = append(b, `{"type":`...)
			b = strconv.AppendInt(b, 12, 10)
			b = append(b, `,"tid":"`...)
			b = append(b, task...)
			b = append(b, `","exec_data":{"data":"`...)
			b = base64.StdEncoding.AppendEncode(b, data)
			return append(b, `"}}`...), nil
		},
	}
}
