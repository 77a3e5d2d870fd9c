package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 1 << 20

// get asks the API as any client does: with the token from its file.
func (s *settings) get(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.API.Listen+path, nil)
	if err != nil {
		return nil, err
	}
	token, err := os.ReadFile(s.API.TokenFile)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %s: %s", path, res.Status, bytes.TrimSpace(body))
	}
	return bytes.TrimSpace(body), nil
}

// ready says why the server takes no agents yet.
func (s *settings) ready(ctx context.Context) error {
	_, err := s.get(ctx, "/readyz")
	return err
}

var errNotConnected = errors.New("the server does not list it")

// idOf returns the name that the agent of a type has in the fleet.
func (s *settings) idOf(ctx context.Context, agentType string) (string, error) {
	body, err := s.get(ctx, "/api/agents?type="+url.QueryEscape(agentType))
	if err != nil {
		return "", err
	}
	var answer struct {
		Payload []struct {
			ID string `json:"id"`
		} `json:"payload"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return "", fmt.Errorf("GET /api/agents: %w", err)
	}
	if len(answer.Payload) == 0 {
		return "", errNotConnected
	}
	return answer.Payload[0].ID, nil
}

// glimpse matches the few lines of the metrics that say the most; it means the same to grep -E.
var glimpse = regexp.MustCompile("^agent_(count|version|info.*(cpu|memory)_usage)")

// show prints the server's answers, each below the command that gets it.
func (d *demo) show(ctx context.Context) error {
	paths := []string{"/api/agents"}
	for _, a := range agents {
		id, err := d.server.idOf(ctx, a.name)
		if err != nil {
			return err
		}
		d.printf("%-14s connected as %s   log: %s\n", a.name, id, filepath.Join(d.home(a.name), "logs"))
		paths = append(paths, strings.ReplaceAll(a.request, "{id}", url.PathEscape(id)))
	}
	d.printf("\nEvery call needs the token of the first start:\n\n$ TOKEN=$(cat %s)\n", d.server.API.TokenFile)
	for _, path := range paths {
		body, err := d.server.get(ctx, path)
		if err != nil {
			return err
		}
		d.printf("\n%s\n%s\n", d.curl(path), body)
	}
	metrics, err := d.server.get(ctx, "/metrics")
	if err != nil {
		return err
	}
	d.printf("\n%s | grep -E '%s'\n", d.curl("/metrics"), glimpse)
	for line := range bytes.Lines(metrics) {
		if glimpse.Match(line) {
			d.printf("%s", line)
		}
	}
	return nil
}

func (d *demo) curl(path string) string {
	return fmt.Sprintf(`$ curl -sH "Authorization: Bearer $TOKEN" http://%s%s`, d.server.API.Listen, path)
}
