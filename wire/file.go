package wire

import (
	"io/fs"
	"time"
)

// Ls lists a directory.
var Ls = Call[LsRequest, LsReply]{
	Request: Define[LsRequest](20, "ls", "ls_req", Query),
	Reply:   Define[LsReply](21, "ls reply", "ls_rep"),
}

// Upload writes a file on the agent's host.
var Upload = Call[UploadRequest, UploadReply]{
	Request: Define[UploadRequest](22, "upload", "upload"),
	Reply:   Define[UploadReply](23, "upload reply", "upload_rep"),
}

// Reading a file from the agent's host. Download is answered by DownloadInfo and, if that is OK, by DownloadData until
// the size is reached, or by DownloadError. A file that was asked for with a URI is sent there, and DownloadSum ends it.
var (
	Download      = Define[DownloadPayload](24, "download", "download_req")
	DownloadInfo  = Define[DownloadInfoPayload](25, "download info", "download_rep")
	DownloadData  = Define[DownloadDataPayload](26, "download data", "download_data")
	DownloadError = Define[DownloadErrorPayload](27, "download error", "download_error")
	DownloadSum   = Define[DownloadSumPayload](20010, "download sum", "download_sum")
)

// TempDir as the directory of an upload stands for the host's folder for temporary files.
const TempDir = "$$TMP$$"

// MaxInline is the size, in bytes, of the largest file whose content is sent within an upload.
const MaxInline = 1 << 20

// A Block is a piece of a file as a frame holds it: "$0$", "$1$" or "$2$", and the base64 of the bytes as they are,
// compressed with gzip, or compressed with zstd.
type Block string

// LsRequest asks what is in a directory.
type LsRequest struct {
	Dir string `json:"dir"`

	// For agents that have announced FeatureFiles.
	Detail bool `json:"detail,omitempty"` // the answer shall say Why
}

// LsReply says what is in a directory.
type LsReply struct {
	Dir   string     `json:"dir"`
	OK    bool       `json:"ok"`
	Msg   string     `json:"msg,omitempty"` // why not, when not OK
	Files []FileInfo `json:"files,omitempty"`
	Why   string     `json:"why,omitempty" wire:"max=64"`
}

// FileInfo is one entry of a directory.
type FileInfo struct {
	Name    string      `json:"name"`
	Mode    fs.FileMode `json:"mod"`   // Go's own bits
	User    string      `json:"user"`  // "" if the number has no name
	Group   string      `json:"group"` // "" if the number has no name
	Size    uint64      `json:"size"`  // bytes
	ModTime time.Time   `json:"mod_time"`
	IsLink  bool        `json:"is_link"`
	LinkDir string      `json:"link_dir"` // where a link leads, "" for no link and for one that leads nowhere
}

// UploadRequest is a file to write. Its content is in Data, or else to be fetched from URI on the server with the header
// X-Token.
type UploadRequest struct {
	Dir      string      `json:"dir"` // a directory of the host, or TempDir
	Name     string      `json:"name"`
	Auth     string      `json:"auth,omitempty"`
	User     string      `json:"user,omitempty"`
	Pass     string      `json:"pass,omitempty"`
	Mode     fs.FileMode `json:"mod"` // Go's own bits
	OwnUser  string      `json:"own_user,omitempty"`
	OwnGroup string      `json:"own_group,omitempty"`
	Size     uint64      `json:"size,omitempty"` // bytes
	MD5      [16]byte    `json:"md5"`
	MD5Check bool        `json:"md5_check"` // servers of the field send false, their agents check all the same
	Data     Block       `json:"data,omitempty"`
	Token    string      `json:"token,omitempty"`
	URI      string      `json:"uri,omitempty"`

	// For agents that have announced FeatureFiles. They ask again for what is missing (Range: bytes=n-) when the connection
	// to URI ends in the middle, so it and Token stay good until the reply.
	Detail bool   `json:"detail,omitempty"`               // the answer shall say Why
	SHA256 string `json:"sha256,omitempty" wire:"max=64"` // of the content, in hexadecimal

	// Grows means that the content is still on its way to the server: Size and the sums say nothing. See [UploadEnd].
	Grows bool `json:"grows,omitempty"`
}

// MaxPiece is the largest piece of a content that grows, in bytes.
const MaxPiece = 1 << 20

// UploadEnd ends an answer with a content that grows. It comes after pieces, each with its length before it, as four bytes, the
// highest first, and after a length of zero. Who has written what came asks for what follows, with its offset in the header
// Upload-Offset: the server keeps nothing before that. So does who has lost the connection.
type UploadEnd struct {
	// More means that the content goes on.
	More bool `json:"more,omitempty"`

	// Order is the whole order, once all has come and is wanted: with Size and SHA256, with MD5 if MD5Check is set, and with what
	// has been said of the file since it began. Without More and Order the content is not wanted.
	Order *UploadRequest `json:"order,omitempty"`
}

// UploadReply says whether the file was written.
type UploadReply struct {
	Dir string `json:"dir"` // the path of the file
	OK  bool   `json:"ok"`
	Msg string `json:"msg,omitempty"` // why not, when not OK
	Why string `json:"why,omitempty" wire:"max=64"`

	// Of a content that grew, what was written.
	Size   uint64 `json:"size,omitempty"` // bytes
	SHA256 string `json:"sha256,omitempty" wire:"max=64"`
}

// DownloadPayload asks for a file.
type DownloadPayload struct {
	Dir string `json:"dir"` // the path of the file

	// For agents that have announced FeatureFiles: with a URI the content does not come in frames. The agent sends it with
	// PATCH to URI on the server, with the headers X-Token and Upload-Offset, and DownloadSum when all is there. When that
	// connection ends in the middle, HEAD says in Upload-Offset what the server has, and the agent goes on from there.
	Detail bool   `json:"detail,omitempty"` // the answers shall say Why
	URI    string `json:"uri,omitempty"`
	Token  string `json:"token,omitempty"`
	Offset uint64 `json:"offset,omitempty"` // bytes from the start of the file that are not wanted
}

// DownloadInfoPayload says what is to come.
type DownloadInfoPayload struct {
	Dir       string   `json:"dir"` // the path of the file
	OK        bool     `json:"ok"`
	Msg       string   `json:"msg,omitempty"` // why not, when not OK
	Size      uint64   `json:"size"`          // bytes
	BlockSize uint64   `json:"block_size"`    // bytes of every block but the last
	MD5       [16]byte `json:"md5"`           // of the file, zeros when not OK and when the file goes to a URI

	Why     string     `json:"why,omitempty" wire:"max=64"`
	ModTime *time.Time `json:"mod_time,omitempty"` // last change of a file that goes to a URI
}

// DownloadDataPayload is one block of a file.
type DownloadDataPayload struct {
	Offset uint64 `json:"offset"` // bytes from the start of the file
	Data   Block  `json:"data"`
}

// DownloadErrorPayload says that the file could not be read to its end.
type DownloadErrorPayload struct {
	Msg string `json:"msg"`
	Why string `json:"why,omitempty" wire:"max=64"`
}

// DownloadSumPayload says that all of a file has been sent to a URI.
type DownloadSumPayload struct {
	Size   uint64 `json:"size"`                 // bytes of the file, those before Offset included
	SHA256 string `json:"sha256" wire:"max=64"` // of the whole file, in hexadecimal
}
