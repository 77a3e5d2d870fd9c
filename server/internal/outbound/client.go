package outbound

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

const (
	// maxRedirects is how often a request may be sent elsewhere.
	maxRedirects = 5

	// waitTime is how long the other side may take to answer at all.
	waitTime = 30 * time.Second
)

// Client makes requests to what its list allows.
type Client struct {
	list List
	http *http.Client
}

// New makes a client.
func New(l List) *Client {
	c := &Client{list: l}
	dialer := &net.Dialer{Timeout: waitTime, Control: c.control}
	c.http = &http.Client{
		Transport: &http.Transport{
			Proxy:                 nil, // a proxy would dial what is not to be dialled
			DialContext:           dialer.DialContext,
			TLSHandshakeTimeout:   waitTime,
			ResponseHeaderTimeout: waitTime,
			IdleConnTimeout:       time.Minute,
			MaxIdleConnsPerHost:   2,
		},
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return errors.New("too many redirects")
			}
			return l.checkURL(req.URL)
		},
	}
	return c
}

// control looks at an address just before it is dialled.
func (c *Client) control(_, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if !c.list.dials(a.Addr(), fmt.Sprint(a.Port())) {
		return fmt.Errorf("address %s is not allowed by the server's config", address)
	}
	return nil
}

// Check says why a request must not go to an address.
func (c *Client) Check(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("it is no address") // which may hold a secret
	}
	return u, c.list.checkURL(u)
}

// Get asks for what is at an address. The caller closes the body. Any status but 200 is an error.
func (c *Client) Get(ctx context.Context, u *url.URL) (*http.Response, error) {
	if err := c.list.checkURL(u); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if e := (*url.Error)(nil); errors.As(err, &e) {
			err = e.Err // without the address, which may hold a secret
		}
		return nil, fmt.Errorf("ask %s: %w", u.Host, err)
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, fmt.Errorf("ask %s: status %d", u.Host, resp.StatusCode)
	}
	return resp, nil
}

// Close ends connections that are kept for later.
func (c *Client) Close() { c.http.CloseIdleConnections() }
