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

// get asks the API for something that changes nothing.
func (s *settings) get(ctx context.Context, path string) ([]byte, error) { return s.ask(ctx, path, "") }

// ask asks the API as any client does: with the token from its file. A request that has a body is a POST.
func (s *settings) ask(ctx context.Context, path, body string) ([]byte, error) {
	method, content := http.MethodGet, io.Reader(nil)
	if body != "" {
		method, content = http.MethodPost, strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+s.API.Listen+path, content)
	if err != nil {
		return nil, err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
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
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s %s: %s: %s", method, path, res.Status, bytes.TrimSpace(answer))
	}
	return bytes.TrimSpace(answer), nil
}

// ready says why the server takes no agents yet.
func (s *settings) ready(ctx context.Context) error {
	_, err := s.get(ctx, "/readyz")
	return err
}

var (
	errNotConnected = errors.New("the server does not list it")
	errNotReported  = errors.New("the server has no report of it")
)

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
var glimpse = regexp.MustCompile("^agent_(count|version|info.*(cpu|memory)_usage|host_.*_ratio)")

// firstReport stands in the metrics when a host has reported.
const firstReport = "\nagent_host_cpu_usage_ratio{"

// show prints the server's answers, each below the command that gets it.
func (d *demo) show(ctx context.Context) error {
	type request struct{ path, body string }
	requests := []request{{path: "/api/agents"}}
	for _, a := range agents {
		id, err := d.server.idOf(ctx, a.name)
		if err != nil {
			return err
		}
		d.printf("%-14s connected as %s   log: %s\n", a.name, id, filepath.Join(d.home(a.name), "logs"))
		requests = append(requests, request{strings.ReplaceAll(a.request, "{id}", url.PathEscape(id)), a.body})
	}
	d.printf("\nEvery call needs the token of the first start:\n\n$ TOKEN=$(cat %s)\n", d.server.API.TokenFile)
	for _, r := range requests {
		answer, err := d.server.ask(ctx, r.path, r.body)
		if err != nil {
			return err
		}
		command := d.curl(r.path)
		if r.body != "" {
			command += " -H 'Content-Type: application/json' -d '" + r.body + "'"
		}
		d.printf("\n%s\n%s\n", command, answer)
	}
	var metrics []byte
	err := d.wait(ctx, "metrics-agent to report", func(ctx context.Context) (err error) {
		metrics, err = d.server.get(ctx, "/metrics")
		if err == nil && !bytes.Contains(metrics, []byte(firstReport)) {
			err = errNotReported
		}
		return err
	})
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
