package mutation

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mentalverse/session/test/node"
)

// What must hold in a browser that signs in anonymously, by sdk/test/anonymous.test.ts.
var anonymousMutations = []struct{ file, old, new string }{
	{"anonymous/device.ts", `|| !isNear(epoch, pins) ||`, `|| typeof epoch !== 'number' ||`},
	{"anonymous/device.ts", `|| scope !== (await scopeOf(pins.serviceId, epoch))`, ``},
	{"anonymous/device.ts", `scope !== (await enrolScopeOf(pins.serviceId, nonce)) ||`, ``},
	{"anonymous/device.ts", `if (epoch !== head.epoch) throw`, `if (epoch < 0) throw`},
	{"anonymous/device.ts", `(await count(pages, enough)) < enough`, `enough < 0`},
	{"anonymous/device.ts", `await secretFor(key, pins);
`, ``},
	{"anonymous/device.ts", `if (await this.#vault.has()) throw problem('identity_exists');
    const { pins } = await this.#follower.contact(options.signal);`, `const { pins } = await this.#follower.contact(options.signal);
    await this.#vault.wipe();`},
	{"anonymous/group.ts", `if (newest.hash !== head.hash) throw`, `if (newest.hash === '') throw`},
	{"anonymous/group.ts", `!holds(known ?? {}, pins) || `, ``},
	{"anonymous/group.ts", ` || !holds(this.#given, pins)`, ``},
	{"anonymous/group.ts", `    await check(members);
`, ``},
	{"anonymous/group.ts", `Math.max(0, Math.floor((head.number + 1) / listed) * listed - 1)`, `head.number`},
	{"anonymous/group.ts", `if (m !== '0') seen.add(m);`, `seen.add(m + String(seen.size));`},
	{"anonymous/chain.ts", `if (s.hash !== head.hash) throw`, `if (s.hash === '') throw`},
	{"anonymous/chain.ts", ` && b.previous === a.hash`, ``},
	{"anonymous/chain.ts", ` && root !== '0'`, ``},
	{"anonymous/chain.ts", `if (this.#key && !(await`, `if (!this.#key && !(await`},
	{"anonymous/chain.ts", `b.epoch === a.epoch && b.size >= a.size`, `b.epoch === a.epoch`},
	{"anonymous/chain.ts", `if (isAhead(Date.parse(s.created_at))) throw`, `if (s.number < 0) throw`},
	{"anonymous/chain.ts", `if (!met || `, `if (`},
	{"anonymous/ask.ts", `credentials: 'omit'`, `credentials: 'same-origin'`},
	{"anonymous/ask.ts", `if (text.length > longest) {`, `if (text.length < 0) {`},
	{"anonymous/key.ts", `if (!same(mark, await markOf(pins))) throw`, `if (!same(mark, mark)) throw`},
	{"anonymous/key.ts", ` || iterations > mostRounds`, ``},
	{"anonymous/kept.ts", `const still = same(r.result, was);`, `const still = true;`},
	{"anonymous/kept.ts", `if (!got) throw problem('storage_unavailable');
  return got[0];`, `return got?.[0] as T;`},
	{"anonymous/identity.ts", `(await fresh()).encrypt(text, this.#name)`, `text`},
	{"anonymous/prover.ts", `waiting.reject(problem('prover_failed'))`, `waiting.reject(new Error(String(error)))`},
	{"anonymous/prover.ts", `digests: pinned, `, ``},
	{"manager.ts", ` && !(config.storage instanceof MemoryStorage)`, ``},
}

func TestEveryMutationOfTheAnonymousClientIsKilled(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	source := filepath.Join(root, "sdk", "src")
	if *run {
		node.Project(t, "../sdk")
		if out, err := testClient(t, root, "", ""); err != nil {
			t.Fatalf("without a mutation: %s", out)
		}
	}
	for i, m := range anonymousMutations {
		t.Run(fmt.Sprintf("%02d %s", i+1, m.file), func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join(source, m.file))
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(b), m.old); n != 1 {
				t.Fatalf("the text to break stands %d times: %s", n, m.old)
			}
			if !*run {
				return // the list at least fits the code
			}
			out, err := testClient(t, root, m.file, strings.Replace(string(b), m.old, m.new, 1))
			switch {
			case err == nil:
				t.Errorf("survived:\n- %s\n+ %s\n%s", m.old, m.new, out)
			case !strings.Contains(string(out), "Failed Tests"):
				t.Errorf("no test tells of it: %s", out)
			}
		})
	}
}

// testClient runs the client's tests in a copy in which one file has a text.
func testClient(t *testing.T, root, file, text string) ([]byte, error) {
	dir := t.TempDir()
	sdk := filepath.Join(dir, "sdk")
	for _, part := range []string{"src", "test"} {
		if err := os.CopyFS(filepath.Join(sdk, part), os.DirFS(filepath.Join(root, "sdk", part))); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"sdk/node_modules", "sdk/package.json", "sdk/tsconfig.json", "sdk/vitest.config.ts", "anonymous"} {
		if err := os.Symlink(filepath.Join(root, name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if file != "" {
		if err := os.WriteFile(filepath.Join(sdk, "src", file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "npx", "--no-install", "vitest", "run", "--bail=1", "test/anonymous.test.ts")
	cmd.Dir = sdk
	return cmd.CombinedOutput()
}
