package wire

// Installing software. Install is answered by one InstallReply for each step, the last one with InstallDone.
var (
	Install      = Define[InstallPayload](40, "install", "inst_args")
	InstallReply = Define[InstallReplyPayload](41, "install reply", "inst_rep")
)

// InstallAction is a step of an installation.
type InstallAction uint8

// The steps of an installation.
const (
	InstallDone InstallAction = iota
	InstallDownload
	InstallInstall // or unpack
	InstallFile    // a file beside it
)

// InstallPayload is a package to install: deb, rpm, tar, tar.gz, tar.bz2, zip, msi or exe.
type InstallPayload struct {
	URI     string         `json:"uri"`     // on the server; comes before URL
	URL     string         `json:"url"`     // anywhere
	Dir     string         `json:"dir"`     // where an archive, msi or exe goes
	Timeout int            `json:"timeout"` // seconds
	Auth    string         `json:"auth,omitempty"`
	User    string         `json:"user,omitempty"`
	Pass    string         `json:"pass,omitempty"`
	Files   []InstallExtra `json:"conf,omitempty"`
}

// InstallExtra is a file to put beside what is installed.
type InstallExtra struct {
	URI string `json:"uri"` // on the server; comes before URL
	URL string `json:"url"` // anywhere
	Dir string `json:"dir"` // where it goes
}

// InstallReplyPayload says how a step went.
type InstallReplyPayload struct {
	Time   int64         `json:"ts"` // Unix seconds
	Action InstallAction `json:"action"`
	Name   string        `json:"name"` // the package's path, or the file's
	OK     bool          `json:"ok"`
	Msg    string        `json:"msg"` // why not, when not OK
}
