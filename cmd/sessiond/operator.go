package main

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
	"strings"
	"time"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/server"
)

// operating is how a command reaches the operator listener of a running server:
// with a key of its operator's own, or with the root key, for which it must be
// able to read the master key.
type operating struct {
	settings
	KeyFile string `name:"operator-key-file" help:"File of your operator key, mode 0600; else SESSIOND_OPERATOR_KEY, else the root key from the master key." env:"SESSIOND_OPERATOR_KEY_FILE" placeholder:"FILE"`
}

// because is why an operator acts.
type because struct {
	Reason string `required:"" help:"Why: 3 to 200 bytes, kept in the audit trail."`
}

func (o operating) key(c server.Config) (string, error) {
	if o.KeyFile == "" {
		if key := os.Getenv("SESSIOND_OPERATOR_KEY"); key != "" {
			return key, nil
		}
		return server.OperatorKey(c)
	}
	info, err := os.Stat(o.KeyFile)
	if err != nil {
		return "", err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("%s: others may read it (mode %04o); make it 0600", o.KeyFile, info.Mode().Perm())
	}
	b, err := os.ReadFile(o.KeyFile)
	return strings.TrimSpace(string(b)), err
}

// patient waits for as long as a file may take.
var patient = &http.Client{Timeout: 15 * time.Minute}

// operate makes one call of the operator API. in is marshalled, unless it is a
// file.
func operate[Out any](ctx context.Context, o operating, method, path string, in any) (Out, error) {
	var out api.Envelope[Out]
	var zero Out
	c, err := o.config()
	if err != nil {
		return zero, err
	}
	key, err := o.key(c)
	if err != nil {
		return zero, err
	}
	client, contentType := httpClient, "application/json"
	var body io.Reader
	switch in := in.(type) {
	case nil:
	case io.Reader:
		body, client, contentType = in, patient, "text/csv"
	default:
		b, err := json.Marshal(in)
		if err != nil {
			return zero, err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+c.OperatorListen+api.OperatorPath+path, body)
	if err != nil {
		return zero, err
	}
	if body != nil {
		req.Header.Set("Content-Type", contentType)
		if client == patient { // a refusal comes before the file goes
			req.Header.Set("Expect", "100-continue")
		}
	}
	req.Header.Set("Authorization", "Bearer "+key)
	res, err := client.Do(req)
	if err != nil {
		return zero, fmt.Errorf("is the server running, and operator_listen %s its own? %w", c.OperatorListen, err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		return zero, fmt.Errorf("%s %s: answer %d is not the API's", method, path, res.StatusCode)
	}
	if out.Error != nil {
		return zero, out.Error
	}
	if out.Data == nil {
		return zero, errors.New("the answer has no data")
	}
	return *out.Data, nil
}

// pageSize is the most that a list gives at once.
const pageSize = 1000

// everyPage returns all of a list whose pages begin behind an id.
func everyPage[L, T any](ctx context.Context, o operating, path string, items func(L) []T, id func(T) string) ([]T, error) {
	all := []T{}
	for after := ""; ; {
		page, err := operate[L](ctx, o, "GET", fmt.Sprintf("%s?limit=%d&after=%s", path, pageSize, url.QueryEscape(after)), nil)
		if err != nil {
			return nil, err
		}
		all = append(all, items(page)...)
		if len(items(page)) < pageSize {
			return all, nil
		}
		after = id(all[len(all)-1])
	}
}
