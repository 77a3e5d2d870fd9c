package load

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// latencies are how many requests a second were answered, and how long half of them and 99 of 100 took.
type latencies struct {
	rate     float64
	p50, p99 time.Duration
}

// requests asks a path over and over, by so many callers side by side, each on a connection of its own.
func requests(ctx context.Context, addr, token, path string, callers int, d time.Duration) (latencies, error) {
	var mu sync.Mutex
	var took []time.Duration
	begin := time.Now()
	err := sideBySide(ctx, callers, callers, func(ctx context.Context, _ int) error {
		c, err := newCaller(ctx, addr, token, path)
		if err != nil {
			return err
		}
		defer c.client.CloseIdleConnections()
		var mine []time.Duration
		for len(mine) == 0 || time.Since(begin) < d && ctx.Err() == nil {
			start := time.Now()
			if err := c.ask(); err != nil {
				return err
			}
			mine = append(mine, time.Since(start))
		}
		mu.Lock()
		defer mu.Unlock()
		took = append(took, mine...)
		return nil
	})
	if err != nil {
		return latencies{}, err
	}
	slices.Sort(took)
	return latencies{
		rate: float64(len(took)) / time.Since(begin).Seconds(),
		p50:  took[len(took)/2],
		p99:  took[len(took)*99/100],
	}, nil
}

// caller is a client of the API with a connection of its own.
type caller struct {
	client  http.Client
	request *http.Request
}

func newCaller(ctx context.Context, addr, token, path string) (*caller, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+path, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	return &caller{http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}, r}, nil
}

// ask sends the request and reads the answer.
func (c *caller) ask() error {
	resp, err := c.client.Do(c.request)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %.200s", resp.Status, body)
	}
	return err
}
