package conn

import (
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	// maxBody is how much of the body of a refusal is kept, in bytes.
	maxBody = 256

	// maxRetryAfter is the longest time that a server can ask to wait, about twelve days: longer ones are as good.
	maxRetryAfter = 1 << 20 * time.Second
)

// refused reads a server's refusal. The WebSocket library has read the beginning of the body, and closed the
// connection.
func refused(resp *http.Response) *RefusedError {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	return &RefusedError{Status: resp.StatusCode, RetryAfter: retryAfter(resp.Header, time.Now()), Body: string(body)}
}

// retryAfter reads a Retry-After header (RFC 9110, section 10.2.3): seconds or a date. A date is one by the server's
// clock, which the answer's Date tells. What makes no sense is 0.
func retryAfter(h http.Header, now time.Time) time.Duration {
	s := strings.TrimSpace(h.Get("Retry-After"))
	if d, ok := seconds(s); ok {
		return d
	}
	t, err := http.ParseTime(s)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return min(max(t.Sub(now), 0), maxRetryAfter)
}

// seconds reads a number of seconds, digits only, and bounds it.
func seconds(s string) (time.Duration, bool) {
	var d time.Duration
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		d = min(d*10+time.Duration(s[i]-'0')*time.Second, maxRetryAfter)
	}
	return d, s != ""
}
