package main

import (
	"bufio"
	"debug/elf"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// What packaging/Containerfile builds: a static binary that serves from a folder
// where nothing else is, with an empty environment, as a user without a name.
func TestTheStaticBinaryRunsAlone(t *testing.T) {
	root, err := os.MkdirTemp("", "root")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(root)
	path := filepath.Join(root, "sessiond")
	build := exec.Command("go", "build", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	program, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	for _, p := range program.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("it is not static: %v", p.Type)
		}
	}
	if os.Geteuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("NOT RUN: only root can change its root")
		}
		t.Skip("NOT RUN: only root can change its root")
	}
	const nobody = 65532
	data := filepath.Join(root, "data")
	if err := errors.Join(os.Chmod(root, 0o755), os.Mkdir(data, 0o700), os.Chown(data, nobody, nobody)); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) *exec.Cmd {
		cmd := exec.Command("/sessiond", args...)
		cmd.Env, cmd.Dir = []string{}, "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		return cmd
	}
	server := run("serve", "--listen", "127.0.0.1:0", "--operator-listen", "127.0.0.1:0", "--public-url", "http://localhost:8080", "--data", "/data")
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	server.Stderr = &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	_, after, ready := strings.Cut(line, "ready on ")
	if !ready {
		server.Wait()
		t.Fatalf("it does not start: %s", log.String())
	}
	p := process{Cmd: server, url: strings.Fields(after)[0]}
	defer p.kill(t)
	if _, err := signIn(t.Context(), remote{Server: p.url}); err != nil {
		t.Error(err)
	}
	if out, err := run("doctor", "--data", "/data", "--listen", strings.TrimPrefix(p.url, "http://"), "--running").CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
