package device

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/mentalverse/session/api"
)

// What an answer may measure, in bytes: a page has 4,096 numbers of up to 77
// digits, a list of snapshots 1,000 of some 400 bytes.
const (
	maxAnswer = 64 << 10
	maxPage   = 512 << 10
	maxList   = 1 << 20
)

func newClient() *http.Client {
	return &http.Client{
		Timeout:   time.Minute,
		Transport: http.DefaultTransport.(*http.Transport).Clone(),
		// Elsewhere nobody is to learn of the call.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// call is one call of the API. Without a bearer it says nothing of who calls.
type call struct {
	method, path, bearer string
	in                   any
	limit                int64 // of the answer; maxAnswer if 0
}

// ask makes a call and opens its envelope. A refusal is an *api.Error.
func ask[Out any](ctx context.Context, d *Device, client *http.Client, c call) (out Out, err error) {
	req, err := d.request(ctx, c)
	if err != nil {
		return out, err
	}
	res, err := client.Do(req)
	if err != nil {
		return out, err
	}
	defer res.Body.Close()
	if c.limit == 0 {
		c.limit = maxAnswer
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, c.limit+1))
	if err != nil {
		return out, err
	}
	if int64(len(b)) > c.limit {
		return out, fmt.Errorf("%w: %s is longer than %d bytes", ErrAnswer, c.path, c.limit)
	}
	var e api.Envelope[Out]
	if err := json.Unmarshal(b, &e); err != nil {
		return out, fmt.Errorf("%w: %s, status %d: %w", ErrAnswer, c.path, res.StatusCode, err)
	}
	switch {
	case e.Error != nil:
		return out, e.Error
	case e.Data == nil || res.StatusCode/100 != 2:
		return out, fmt.Errorf("%w: %s, status %d without data", ErrAnswer, c.path, res.StatusCode)
	}
	return *e.Data, nil
}

func (d *Device) request(ctx context.Context, c call) (*http.Request, error) {
	origin, err := url.Parse(d.Server)
	if err != nil || origin.User != nil || origin.Host == "" || origin.Path != "" || origin.RawQuery != "" || origin.Fragment != "" {
		return nil, fmt.Errorf("device: %q is not an origin", d.Server) // a user would be sent along
	}
	var body io.Reader
	if c.in != nil {
		b, err := json.Marshal(c.in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, c.method, d.Server+api.BasePath+c.path, body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+c.bearer)
	}
	return req, nil
}
