package server

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mentalverse/session/api"
)

// The other frame types of HTTP/2 (RFC 9113 section 6), and flags.
const (
	frameData         = 0
	framePriority     = 2
	framePush         = 5
	framePing         = 6
	frameGoAway       = 7
	frameWindow       = 8
	frameContinuation = 9

	flagEndStream  = 0x1
	flagAck        = 0x1
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20
)

var validatePath = api.BasePath + "/sessions/validate"

// post is a header block for POST to the path with a JSON body.
func post(path string) []byte {
	b := append(fields(path), 0x0f, 0x10, 0x10) // content-type, by its static index 31, new value
	b = append(b, "application/json"...)
	b[0] = 0x83 // :method POST
	return b
}

// literal is a field that is not indexed, name and value in plain text of up to
// 126 bytes.
func literal(name, value string) []byte {
	b := append([]byte{0x00, byte(len(name))}, name...)
	return append(append(b, byte(len(value))), value...)
}

func u32(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

func setting(id uint16, value uint32) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(nil, id), value)
}

// attacks are sequences of frames after the preface and settings. Each draws
// what it varies.
var attacks = map[string]func(*rand.Rand) []byte{
	"continuations without end": func(r *rand.Rand) []byte { // CVE-2023-45288
		b := frame(frameHeaders, flagEndStream, 1, fields(validatePath))
		for range 2000 {
			b = append(b, frame(frameContinuation, 0, 1, literal("x", strings.Repeat("y", r.IntN(100))))...)
		}
		return b
	},
	"empty continuations": func(*rand.Rand) []byte {
		return append(frame(frameHeaders, 0, 1, fields(validatePath)), bytes.Repeat(frame(frameContinuation, 0, 1, nil), 20_000)...)
	},
	"a continuation of nothing": func(*rand.Rand) []byte { return frame(frameContinuation, flagEndHeaders, 1, nil) },
	"a continuation of another stream": func(*rand.Rand) []byte {
		return append(frame(frameHeaders, 0, 1, fields(validatePath)), frame(frameContinuation, flagEndHeaders, 3, nil)...)
	},
	"something between continuations": func(*rand.Rand) []byte {
		return append(frame(frameHeaders, 0, 1, fields(validatePath)), frame(framePing, 0, 0, make([]byte, 8))...)
	},
	"too many fields": func(*rand.Rand) []byte {
		b := frame(frameHeaders, flagEndStream, 1, fields(validatePath))
		for range 40 {
			b = append(b, frame(frameContinuation, 0, 1, bytes.Repeat(literal("x", strings.Repeat("y", 90)), 150))...)
		}
		return append(b, frame(frameContinuation, flagEndHeaders, 1, nil)...)
	},
	"a table bomb": func(*rand.Rand) []byte { // one entry of the table, named again and again
		block := append(fields(validatePath), append([]byte{0x40, 1, 'x', 126}, strings.Repeat("y", 126)...)...)
		b := frame(frameHeaders, flagEndStream, 1, block)
		return append(b, frame(frameContinuation, flagEndHeaders, 1, bytes.Repeat([]byte{0xbe}, 16_000))...)
	},
	"no field of the table": func(r *rand.Rand) []byte {
		return frame(frameHeaders, flagEndStream|flagEndHeaders, 1, append(fields(validatePath), 0xff, 0xff, 0xff, 0xff, byte(r.IntN(128))))
	},
	"noise for fields": func(r *rand.Rand) []byte {
		b := make([]byte, r.IntN(500))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return frame(frameHeaders, flagEndStream|flagEndHeaders, 1, b)
	},
	"noise": func(r *rand.Rand) []byte {
		b := make([]byte, r.IntN(5000))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	},
	"any frame": func(r *rand.Rand) []byte {
		var b []byte
		for range 1 + r.IntN(30) {
			p := make([]byte, r.IntN(40))
			for i := range p {
				p[i] = byte(r.Uint32())
			}
			b = append(b, frame(byte(r.IntN(12)), byte(r.Uint32()), uint32(r.IntN(8)), p)...)
		}
		return b
	},
	"padding longer than the frame": func(r *rand.Rand) []byte {
		return frame([]byte{frameHeaders, frameData}[r.IntN(2)], flagPadded|flagEndHeaders, 1, append([]byte{255}, fields(validatePath)...))
	},
	"padding only": func(*rand.Rand) []byte {
		b := frame(frameHeaders, flagEndHeaders, 1, post(api.BasePath+"/sessions/refresh"))
		return append(b, bytes.Repeat(frame(frameData, flagPadded, 1, append([]byte{255}, make([]byte, 255)...)), 400)...)
	},
	"even streams": func(r *rand.Rand) []byte {
		return frame(frameHeaders, flagEndStream|flagEndHeaders, uint32(r.IntN(100)*2), fields(validatePath))
	},
	"a stream that went by": func(*rand.Rand) []byte {
		return append(frame(frameHeaders, flagEndStream|flagEndHeaders, 7, fields(validatePath)), frame(frameHeaders, flagEndStream|flagEndHeaders, 5, fields(validatePath))...)
	},
	"the last stream": func(*rand.Rand) []byte {
		return frame(frameHeaders, flagEndStream|flagEndHeaders, 1<<31-1, fields(validatePath))
	},
	"a stream that waits for itself": func(*rand.Rand) []byte {
		return frame(frameHeaders, flagEndStream|flagEndHeaders|flagPriority, 1, append([]byte{0, 0, 0, 1, 255}, fields(validatePath)...))
	},
	"priorities": func(r *rand.Rand) []byte {
		var b []byte
		for range 5000 {
			b = append(b, frame(framePriority, 0, uint32(r.IntN(1<<20))*2+1, append(u32(uint32(r.IntN(1<<20))), 1))...)
		}
		return b
	},
	"data for nobody":   func(*rand.Rand) []byte { return frame(frameData, 0, 1, []byte("x")) },
	"data on no stream": func(*rand.Rand) []byte { return frame(frameData, 0, 0, []byte("x")) },
	"empty data": func(*rand.Rand) []byte { // CVE-2019-9518
		return append(frame(frameHeaders, flagEndHeaders, 1, post(api.BasePath+"/sessions/refresh")), bytes.Repeat(frame(frameData, 0, 1, nil), 20_000)...)
	},
	"more data than said": func(*rand.Rand) []byte {
		b := frame(frameHeaders, flagEndHeaders, 1, append(post(api.BasePath+"/sessions/refresh"), 0x0f, 0x0d, 1, '2')) // content-length: 2
		return append(b, frame(frameData, flagEndStream, 1, []byte(`{"refresh_token":"x"}`))...)
	},
	"more data than the window": func(*rand.Rand) []byte {
		return append(frame(frameHeaders, flagEndHeaders, 1, post(api.BasePath+"/sessions/refresh")), bytes.Repeat(frame(frameData, 0, 1, make([]byte, 16<<10)), 80)...)
	},
	"a window of nothing": func(r *rand.Rand) []byte { return frame(frameWindow, 0, uint32(r.IntN(2)), u32(0)) },
	"a window that is full": func(*rand.Rand) []byte {
		return append(frame(frameWindow, 0, 0, u32(1<<31-1)), frame(frameWindow, 0, 0, u32(1<<31-1))...)
	},
	"a window by the byte": func(*rand.Rand) []byte { // CVE-2019-9511
		b := frame(frameSettings, 0, 0, setting(4, 0))
		for s := uint32(1); s < 200; s += 2 {
			b = append(b, frame(frameHeaders, flagEndStream|flagEndHeaders, s, fields("/openapi.yaml"))...)
		}
		for s := uint32(1); s < 200; s += 2 {
			b = append(b, frame(frameWindow, 0, s, u32(1))...)
		}
		return b
	},
	"settings without end": func(r *rand.Rand) []byte { // CVE-2019-9515
		var b []byte
		for range 5000 {
			b = append(b, frame(frameSettings, 0, 0, setting(uint16(r.IntN(9)), r.Uint32N(1<<14)))...)
		}
		return b
	},
	"settings of nonsense": func(r *rand.Rand) []byte {
		return [][]byte{
			frame(frameSettings, 0, 1, nil), frame(frameSettings, 0, 0, []byte{0, 1}), frame(frameSettings, flagAck, 0, setting(1, 1)),
			frame(frameSettings, 0, 0, setting(4, 1<<31)), frame(frameSettings, 0, 0, setting(5, 1)), frame(frameSettings, 0, 0, setting(2, 2)),
			frame(frameSettings, flagAck, 0, nil),
		}[r.IntN(7)]
	},
	"pings without end": func(*rand.Rand) []byte { return bytes.Repeat(frame(framePing, 0, 0, make([]byte, 8)), 20_000) }, // CVE-2019-9512
	"a ping of seven":   func(*rand.Rand) []byte { return frame(framePing, 0, 0, make([]byte, 7)) },
	"a push": func(*rand.Rand) []byte {
		return frame(framePush, flagEndHeaders, 1, append(u32(2), fields(validatePath)...))
	},
	"a reset of nothing":   func(*rand.Rand) []byte { return frame(frameReset, 0, 1, u32(8)) },
	"a reset on no stream": func(*rand.Rand) []byte { return frame(frameReset, 0, 0, u32(8)) },
	"going away, and on": func(*rand.Rand) []byte {
		return append(frame(frameGoAway, 0, 0, make([]byte, 8)), frame(frameHeaders, flagEndStream|flagEndHeaders, 1, fields(validatePath))...)
	},
	"a frame too large": func(*rand.Rand) []byte { return frame(frameHeaders, flagEndHeaders, 1, make([]byte, 1<<20)) },
	"a frame cut off": func(r *rand.Rand) []byte {
		b := frame(frameHeaders, flagEndStream|flagEndHeaders, 1, fields(validatePath))
		return b[:r.IntN(len(b))]
	},
	"bad fields": func(r *rand.Rand) []byte {
		bad := [][2]string{{"X", "y"}, {"x y", "z"}, {":x", "y"}, {":path", "/"}, {"connection", "close"}, {"transfer-encoding", "chunked"}, {"te", "gzip"}, {"x", "a\r\nb: c"}, {"x", "\x00"}, {"", "x"}, {"host", "evil.example"}, {"content-length", "-1"}}
		f := bad[r.IntN(len(bad))]
		return frame(frameHeaders, flagEndStream|flagEndHeaders, 1, append(fields(validatePath), literal(f[0], f[1])...))
	},
	"bad paths": func(r *rand.Rand) []byte {
		return frame(frameHeaders, flagEndStream|flagEndHeaders, 1, fields([]string{"", "*", "x", "/\x00", "//", "/ ", "/%zz", "http://evil.example/", "/../x", "\xff"}[r.IntN(10)]))
	},
	"all streams at once": func(*rand.Rand) []byte {
		var b []byte
		for s := uint32(1); s < 1000; s += 2 {
			b = append(b, frame(frameHeaders, flagEndHeaders, s, post(api.BasePath+"/sessions/refresh"))...) // bodies that never come
		}
		return b
	},
}

// attacker is a connection over which one sequence will be sent.
type attacker struct {
	*tls.Conn
	name   string
	frames []byte
}

// attackers opens a connection for every kind of attack, so many times, and says
// hello. Only then may any of them attack: the server ends a handshake that takes
// more than readHeaderTimeout, and beside floods on a busy machine some do.
func attackers(t *testing.T, at string, pool *x509.CertPool, rounds []int) (all []attacker) {
	t.Helper()
	for _, round := range rounds {
		for name, draw := range attacks {
			conn, err := tls.Dial("tcp", at, &tls.Config{RootCAs: pool, NextProtos: []string{"h2"}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { conn.Close() })
			fmt.Fprint(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
			conn.Write(frame(frameSettings, 0, 0, nil))
			all = append(all, attacker{conn, name, draw(rand.New(rand.NewPCG(uint64(round), uint64(len(name)))))})
		}
	}
	return all
}

// attack sends the sequence and reads whatever comes, until the server ends the
// connection or nothing more is expected.
func (a attacker) attack() (answer []byte) {
	defer a.Close()
	a.SetDeadline(time.Now().Add(15 * time.Second))
	got := make(chan []byte)
	go func() {
		b, _ := io.ReadAll(io.LimitReader(a, 4<<20))
		got <- b
	}()
	a.Write(a.frames) // fails where the server has had enough
	a.CloseWrite()
	return <-got
}

// API-02, E4 over HTTP/2: what breaks the rules of the frames is ended, opens
// nothing and costs nothing that stays. net/http lets go of a connection that
// broke with a stream open only after idleTimeout, some 23 KB each: the heap is
// measured before that.
func TestMalformedFrames(t *testing.T) {
	waves := 8
	if testing.Short() || raceEnabled {
		waves = 1
	}
	chain, key, pool := writeCertificate(t, t.TempDir())
	at := runTLS(t, chain, key)
	beside := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}, Timeout: writeTimeout}
	check := func() error {
		res, err := beside.Get("https://" + at + "/readyz")
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if res.StatusCode != 200 || res.ProtoMajor != 2 {
			return fmt.Errorf("%d over HTTP/%d", res.StatusCode, res.ProtoMajor)
		}
		return nil
	}
	if err := check(); err != nil {
		t.Fatal(err)
	}
	sent := 0
	run := func(rounds ...int) {
		var all sync.WaitGroup
		standing := attackers(t, at, pool, rounds)
		if err := check(); err != nil { // its own connection stands, too: it may have been idle for long
			t.Error(err)
		}
		for _, a := range standing {
			all.Go(func() {
				answer := a.attack()
				switch {
				case bytes.Contains(answer, []byte(`"success":true`)):
					t.Errorf("%s was accepted: %q", a.name, answer)
				case len(answer) >= 4<<20:
					t.Errorf("%s is answered with megabytes", a.name)
				}
			})
			sent++
		}
		if err := check(); err != nil {
			t.Errorf("beside round %d: %v", rounds[0], err)
		}
		all.Wait()
	}
	run(6 * waves) // so that pools stand
	goroutines := runtime.NumGoroutine()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&before)
	for wave := range waves { // of six rounds: a broken connection takes the library a second to end
		n := 6 * wave
		run(n, n+1, n+2, n+3, n+4, n+5)
	}
	t.Logf("%d sequences of %d kinds", sent, len(attacks))
	if err := check(); err != nil {
		t.Error(err)
	}
	beside.CloseIdleConnections()
	deadline := time.Now().Add(time.Minute)
	for {
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.GC()
		n, grown := runtime.NumGoroutine()-goroutines, int(after.HeapAlloc)-int(before.HeapAlloc)
		if n <= 2 && grown < 64<<20 {
			t.Logf("%d goroutines and %d bytes more than before", n, grown)
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("%d goroutines and %d bytes stayed behind", n, grown)
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}
