package server

import (
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/mentalverse/session/api"
)

// Frame types of HTTP/2 (RFC 9113 section 6).
const (
	frameHeaders  = 1
	frameReset    = 3
	frameSettings = 4
)

func frame(kind, flags byte, stream uint32, payload []byte) []byte {
	b := []byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), kind, flags}
	return append(binary.BigEndian.AppendUint32(b, stream), payload...)
}

// fields is a header block for GET, https, the path and this machine (RFC 7541
// appendix A for the indexed names).
func fields(path string) []byte {
	b := append([]byte{0x82, 0x87, 0x04, byte(len(path))}, path...)
	return append(append(b, 0x01, byte(len("127.0.0.1"))), "127.0.0.1"...)
}

// Clients that open streams and reset them at once (CVE-2023-44487) leave
// nothing behind, and nobody beside them notices.
func TestHTTP2RapidReset(t *testing.T) {
	chain, key, pool := writeCertificate(t, t.TempDir())
	at := runTLS(t, chain, key)
	beside := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}, Timeout: 30 * time.Second}
	defer beside.CloseIdleConnections()
	check := func() {
		res, err := beside.Get("https://" + at + api.BasePath + "/sessions/validate")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusUnauthorized {
			t.Errorf("beside it: %d", res.StatusCode)
		}
	}
	check()
	before := runtime.NumGoroutine()
	for range 3 {
		conn, err := tls.Dial("tcp", at, &tls.Config{RootCAs: pool, NextProtos: []string{"h2"}})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
		conn.Write(frame(frameSettings, 0, 0, nil))
		gone := make(chan bool)
		go func() {
			defer close(gone)
			io.Copy(io.Discard, conn)
		}()
		sent := 0
		for stream := uint32(1); sent < 50_000; stream += 2 {
			b := frame(frameHeaders, 0x5, stream, fields(api.BasePath+"/sessions/validate")) // END_STREAM, END_HEADERS
			if _, err := conn.Write(append(b, frame(frameReset, 0, stream, []byte{0, 0, 0, 8})...)); err != nil {
				break
			}
			if sent++; sent%10_000 == 0 {
				check()
			}
		}
		t.Logf("%d streams were reset", sent)
		conn.Close()
		<-gone
		check()
	}
	for range 2000 {
		if runtime.NumGoroutine() <= before+2 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, were %d", runtime.NumGoroutine(), before)
}
