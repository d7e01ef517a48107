package mutation

import "testing"

// coreMutations are of the client's core, by the file of tests that must notice.
var coreMutations = map[string][]clientMutation{
	"test/refresh.test.ts": {
		{"refresh.ts", `if (tab.held?.step === step && (await adopt(tab, epoch))) return false;`, ``},
		{"refresh.ts", `const timeout = 8000;`, `const timeout = 80_000;`},
		{"refresh.ts", `if (superseded) tab.superseded = sent;`, ``},
		{"errors.ts", `e.status !== 401) return undefined;`, `!e.status) return undefined;`},
		{"lock.ts", `const patience = 5000;`, `const patience = 5_000_000;`},
		{"publish.ts", `if (tab.quiet || tab.disposed`, `if (tab.disposed`},
		{"service.ts", `now() < blocked.until`, `false`},
		{"time.ts", `left > longest ?`, `left > Infinity ?`},
	},
	"test/signin.test.ts": {
		{"signin.ts", `tab.cookies || tab.keep.shared`, `tab.cookies`},
		{"signin.ts", `if (id !== '' && id !== data.session_id) throw over();`, ``},
		{"told.ts", `if (!tab.proving) look(tab);`, `look(tab);`},
	},
	"test/told.test.ts": {
		{"told.ts", `if (!h || h.view.session_id !== m.id) return;`, `if (!h) return;`},
		{"channel.ts", `data['v'] !== version`, `false`},
	},
	"test/logout.test.ts": {
		{"logout.ts", `if (tab.owed !== owed) return; // confirmed already`, `return;`},
		{"logout.ts", `owed.id !== any && owed.id !== (await digest(h.view.session_id))`, `false`},
		{"logout.ts", `return new Uint8Array(await crypto.subtle.digest(`, `if (id) return id;
    return new Uint8Array(await crypto.subtle.digest(`},
		{"logout.ts", `keepalive: true,`, ``},
	},
	"test/secure.test.ts": {
		{"secure.ts", "`mv:${version}${place}`", "`mv:${version}`"},
		{"secure.ts", `length: 256 }, false,`, `length: 256 }, true,`},
		{"secure.ts", `getRandomValues(new Uint8Array(12))`, `getRandomValues(new Uint8Array(0))`},
	},
	"test/token.test.ts": {
		{"token.ts", `].includes(origin)) {`, `, origin].includes(origin)) {`},
		{"token.ts", `tab.held?.csrf && origin === own)`, `tab.held?.csrf)`},
		{"token.ts", `if (code?.code !== 'session_expired' || endedBy(code)) return first;`, `if (code?.code !== 'session_expired') return first;`},
		{"validate.ts", `headers: { 'Session-Activity': 'background' }`, ``},
	},
	"test/activity.test.ts": {
		{"activity.ts", `e.isTrusted && `, ``},
	},
	"test/monitor.test.ts": {
		{"monitor.ts", `if (this.sessionManager.activity.idle >= this.activityThreshold) {
      await this.logout();
      throw`, `if (!this.activityThreshold) {
      await this.logout();
      throw`},
	},
}

func TestEveryMutationOfTheClientIsKilled(t *testing.T) {
	for tests, mutations := range coreMutations {
		t.Run(tests, func(t *testing.T) { killEach(t, tests, mutations) })
	}
}
