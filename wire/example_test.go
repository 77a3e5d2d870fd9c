package wire_test

import (
	"errors"
	"fmt"

	"github.com/jkstack/jkframe/v2/wire"
)

// Backup is the payload of a message of our own.
type Backup struct {
	Volume string   `json:"volume"`
	Skip   []string `json:"skip,omitempty"` // patterns
	Bytes  uint64   `json:"bytes"`
}

// Messages are declared once, in a package that the agent and the server share.
var (
	StartBackup = wire.Define[Backup](wire.FirstCustom, "start backup", "start_backup")
	BackupDone  = wire.Define[Backup](wire.FirstCustom+1, "backup done", "backup_done")
)

func Example() {
	// One end sends.
	frame, err := StartBackup.Append(nil, "task-1", &Backup{Volume: "/srv", Skip: []string{"*.tmp"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n", frame)

	// The other end receives.
	f, err := wire.Parse(frame)
	if err != nil {
		fmt.Println(err)
		return
	}
	switch f.Type {
	case StartBackup.Type():
		b, err := StartBackup.Decode(f)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(f.Task, b.Volume, b.Skip)
	case wire.ErrorType:
		fmt.Println("the peer says:", f.Error)
	default:
		fmt.Println("not for us:", f.Type)
	}
	// Output:
	// {"type":30000,"tid":"task-1","start_backup":{"volume":"/srv","skip":["*.tmp"],"bytes":0}}
	// task-1 /srv [*.tmp]
}

// An error says what is wrong, and where.
func ExampleError() {
	f, err := wire.Parse([]byte(`{"type":30001,"backup_done":{"volume":"/srv","bytes":-1}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = BackupDone.Decode(f)
	fmt.Println(err)
	var e *wire.Error
	fmt.Println(errors.As(err, &e), e.Field, errors.Is(err, wire.ErrRange))
	// Output:
	// wire: backup done (30001): backup_done.bytes: number out of range (at byte 53)
	// true backup_done.bytes true
}

// A buffer is used for one frame after the other.
func ExampleMessage_Append() {
	var buf []byte
	for _, line := range []string{"one\r\n", "two\r\n"} {
		var err error
		if buf, err = wire.ExecData.Append(buf[:0], "task-1", &wire.ExecDataPayload{Data: []byte(line)}); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s\n", buf)
	}
	// Output:
	// {"type":12,"tid":"task-1","exec_data":{"data":"b25lDQo="}}
	// {"type":12,"tid":"task-1","exec_data":{"data":"dHdvDQo="}}
}
