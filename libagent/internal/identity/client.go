package identity

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Client asks a server for certificates.
type Client struct {
	Server string       // https://host:port
	HTTP   *http.Client // it must verify the server
}

// maxAnswer is how long an answer may be, in bytes.
const maxAnswer = 1 << 20

// RefusedError is a server that does not give a certificate.
type RefusedError struct {
	Status int
	Msg    string
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the server refused (%d): %q", e.Status, e.Msg)
}

type request struct {
	ID   string `json:"id,omitempty"`
	Type string `json:"type,omitempty"`
	CSR  string `json:"csr"`
}

type answer struct {
	ID   string `json:"id"`
	Cert string `json:"cert"`
	CA   string `json:"ca"`
	Msg  string `json:"msg"` // of a refusal
}

// Enrol gets the first certificate, with a token, and puts it into the folder. The id is the one that the agent would like
// to have, "" for one of the server's choice.
func (c Client) Enrol(ctx context.Context, f Folder, token, id, kind string) (*Identity, error) {
	key, err := f.Key()
	if err != nil {
		return nil, err
	}
	a, err := c.ask(ctx, "/agent/enroll", token, request{ID: id, Type: kind}, key)
	if err != nil {
		return nil, err
	}
	i, err := f.Save(key, a.Cert, a.CA)
	if err == nil && i.Type != kind {
		err = fmt.Errorf("the server's answer is for the type %q", i.Type)
	}
	return i, err
}

// Renew gets the next certificate, for a new key, and puts it into the folder. The requests of c.HTTP must show the old
// one.
func (c Client) Renew(ctx context.Context, f Folder, old *Identity) (*Identity, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	a, err := c.ask(ctx, "/agent/renew", "", request{}, key)
	if err != nil {
		return nil, err
	}
	if a.ID != old.ID {
		return nil, fmt.Errorf("the server's answer is for the id %q", a.ID)
	}
	return f.Save(key, a.Cert, a.CA)
}

// ask posts a request for a certificate.
func (c Client) ask(ctx context.Context, path, token string, r request, key *ecdsa.PrivateKey) (*answer, error) {
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		return nil, err
	}
	r.CSR = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
	body, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Server+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	status, _, text, err := c.do(req)
	if err != nil {
		return nil, err
	}
	var a answer
	err = json.Unmarshal(text, &a)
	switch {
	case status != http.StatusOK && (err != nil || a.Msg == ""):
		return nil, &RefusedError{status, http.StatusText(status)}
	case status != http.StatusOK:
		return nil, &RefusedError{status, a.Msg[:min(len(a.Msg), 1000)]}
	case err != nil:
		return nil, fmt.Errorf("the server's answer: %w", err)
	}
	return &a, nil
}

// Roots asks for the certificates by which the server is known now, as PEM, and whether the agent's own certificate should
// be renewed before its time, because another CA signs now.
func (c Client) Roots(ctx context.Context) (roots string, renew bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Server+"/agent/ca", nil)
	if err != nil {
		return "", false, err
	}
	status, header, text, err := c.do(req)
	if err != nil {
		return "", false, err
	}
	if status != http.StatusOK {
		return "", false, &RefusedError{status, http.StatusText(status)}
	}
	return string(text), header.Get("Renew") == "now", nil
}

func (c Client) do(req *http.Request) (status int, header http.Header, text []byte, err error) {
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer resp.Body.Close()
	text, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(text) > maxAnswer {
		err = errors.New("the server's answer is too long")
	}
	return resp.StatusCode, resp.Header, text, err
}
