package load

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// messageSize is how long a message is, in bytes.
const messageSize = 200

// messages sends n messages of one agent in batches and returns how many a second the server has taken.
func messages(ctx context.Context, t Target, n int) (float64, error) {
	a, err := Connect(ctx, t, "talker")
	if err != nil {
		return 0, err
	}
	defer a.Close()
	text := fmt.Appendf(nil, `{"type":30000,"note":{"n":1,"text":"`)
	text = fmt.Appendf(text, `%s"}}`, strings.Repeat("x", messageSize-len(text)-len(`"}}`)))
	const batch = 300
	var frames []byte
	for range batch {
		frames = appendFrame(frames, opText, text)
	}
	begin := time.Now()
	for range n / batch {
		if err := a.SendAll(frames); err != nil {
			return 0, err
		}
	}
	if err := a.Fence(); err != nil {
		return 0, err
	}
	return float64(n/batch*batch) / time.Since(begin).Seconds(), nil
}
