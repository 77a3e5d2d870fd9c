package libagent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/jkstack/jkframe/v2/libagent/internal/identity"
)

const (
	// lookEvery is how often an agent that is enrolled looks whether its certificate is due, and by what its server is known.
	lookEvery = 12 * time.Hour

	// firstLook is when it does so for the first time at the latest.
	firstLook = 10 * time.Minute

	// identityRetry is when it tries again after that did not work.
	identityRetry = 5 * time.Minute

	// enrolRetry is the longest time between two attempts to enrol.
	enrolRetry = time.Minute

	// maxTokenFile is how large the file of a token may be, in bytes.
	maxTokenFile = 4096
)

// loadIdentity reads what proves who the agent is, if it is enrolled.
func (ag *Agent) loadIdentity() error {
	ag.folder = ag.basic().TLS.folder(ag.file)
	if ag.folder == "" {
		return nil
	}
	i, err := ag.folder.Load()
	if err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	if i == nil {
		return nil
	}
	if i.Type != ag.app.Name() {
		return fmt.Errorf("identity: %s is that of an agent of the type %q", ag.folder, i.Type)
	}
	ag.identity.Store(i)
	ag.id = i.ID
	return nil
}

// client returns who asks a server for certificates. Its connections end with it.
func (ag *Agent) client(server string) (c identity.Client, end func()) {
	t := &http.Transport{
		DialContext:           ag.dialServer("http"),
		DialTLSContext:        ag.tlsOver(ag.dialServer("https")),
		ResponseHeaderTimeout: handshakeTimeout,
		DisableKeepAlives:     true,
	}
	return identity.Client{
		Server: ag.scheme("http", server) + "://" + hostPort(server),
		HTTP:   newHTTPClient(t),
	}, t.CloseIdleConnections
}

// newHTTPClient returns a client that follows no redirect: where an agent goes is not for a server to decide.
func newHTTPClient(t *http.Transport) *http.Client {
	return &http.Client{
		Transport:     t,
		Timeout:       handshakeTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// enrolFirst enrols the agent with the token of its config, if it is not enrolled yet. It returns when it is, or ctx is
// done.
func (ag *Agent) enrolFirst(ctx context.Context) {
	file := ag.basic().Enroll.TokenFile
	if file == "" || ag.identity.Load() != nil {
		return
	}
	wait := time.Second
	for ctx.Err() == nil {
		err := ag.enrolOnce(ctx, file)
		if err == nil {
			ag.log.Info("enrolled", "id", ag.ID(), "token_file", file)
			return
		}
		ag.log.Warn("not enrolled yet", "error", clip(err.Error(), maxErrorText))
		select {
		case <-time.After(wait + rand.N(wait)):
		case <-ctx.Done():
		}
		wait = min(2*wait, enrolRetry)
	}
}

// enrolOnce tries all servers.
func (ag *Agent) enrolOnce(ctx context.Context, file string) error {
	if ag.folder == "" {
		return errors.New("no folder for the identity: set " + section + ".tls.dir")
	}
	token, err := readToken(file)
	if err != nil {
		return err
	}
	var errs []error
	for _, server := range ag.basic().Server {
		if !ag.secure(server) && !isLocal(server) {
			errs = append(errs, fmt.Errorf("%s: %w", server, errPlainToken))
			continue
		}
		c, end := ag.client(server)
		i, err := c.Enrol(ctx, ag.folder, token, ag.ID(), ag.app.Name())
		end()
		if err == nil {
			ag.identity.Store(i)
			return ag.adoptEnrolled(i)
		}
		errs = append(errs, fmt.Errorf("%s: %w", server, err))
	}
	return errors.Join(errs...)
}

// errPlainToken is that a token would be sent where it could be read on the way.
var errPlainToken = errors.New("a token is sent only over TLS: write the address as wss://host:port")

// isLocal reports whether a server is on this host.
func isLocal(server string) bool {
	host, _, err := splitServer(server)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback()
}

// adoptEnrolled takes the id of a fresh identity.
func (ag *Agent) adoptEnrolled(i *identity.Identity) error {
	ag.mu.Lock()
	ag.id = i.ID
	ag.mu.Unlock()
	if ag.file == "" {
		return nil
	}
	if err := keepID(ag.file, i.ID); err != nil && ag.basic().ID == "" {
		ag.log.Warn("id not written into the config: the identity has it", "id", i.ID, "config", ag.file, "error", err)
	}
	return nil
}

// readToken reads a token from a file.
func readToken(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return tokenFrom(f, file)
}

// tokenFrom reads a token.
func tokenFrom(r io.Reader, name string) (string, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxTokenFile+1))
	token := strings.TrimSpace(string(b))
	if err == nil && (token == "" || len(b) > maxTokenFile || strings.ContainsAny(token, " \t\r\n")) {
		err = fmt.Errorf("%s holds no token", name)
	}
	return token, err
}

// keepIdentity renews the certificate in time, and learns by what the server is known, until ctx is done.
func (ag *Agent) keepIdentity(ctx context.Context) {
	wait := rand.N(firstLook)
	for {
		if i := ag.identity.Load(); i != nil {
			wait = max(time.Second, min(wait, time.Until(i.Cert.NotAfter)/10)) // of one that lasts only hours
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
		wait = lookEvery*3/4 + rand.N(lookEvery/2)
		if err := ag.lookAfterIdentity(ctx); err != nil && ctx.Err() == nil {
			ag.log.Warn("identity not looked after", "error", clip(err.Error(), maxErrorText))
			wait = identityRetry + rand.N(identityRetry)
		}
	}
}

// lookAfterIdentity asks the server that the agent is connected to.
func (ag *Agent) lookAfterIdentity(ctx context.Context) error {
	i := ag.identity.Load()
	server := ag.connection().Server
	if i == nil || server == "" || !ag.connected() {
		return nil
	}
	c, end := ag.client(server)
	defer end()
	text, renew, err := c.Roots(ctx)
	if err != nil {
		return err
	}
	roots, err := ag.folder.SaveRoots(text)
	if err != nil {
		return err
	}
	known := *i
	known.Roots = roots
	ag.identity.Store(&known)
	if !renew && time.Now().Before(i.Due()) {
		return nil
	}
	fresh, err := c.Renew(ctx, ag.folder, i)
	if err != nil {
		return err
	}
	ag.identity.Store(fresh)
	ag.log.Info("certificate renewed", "until", fresh.Cert.NotAfter)
	return nil
}
