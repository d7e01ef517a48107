package mutation

import "testing"

// What must hold when a wallet signs in, by the files of the client's tests.
var (
	walletMutations = []clientMutation{
		{"wallets/challenge.ts", `if (!chain || line(0) !== domain + first(chain)) {`, `if (!chain) {`},
		{"wallets/challenge.ts", `text !== message || `, ``},
		{"wallets/challenge.ts", ` && ends - issued <= life`, ``},
		{"wallets/challenge.ts", `!/^[a-z2-7]{64}$/.test(nonce)`, `nonce === ''`},
		{"wallets/challenge.ts", `chain !== w.chain || line(1) !== w.address`, `chain !== w.chain`},
		{"wallets/challenge.ts", `api.protocol === 'http:' && line(5)`, `line(5)`},
		{"wallets/signin.ts", `if (w.type === 'anonymous') throw`, `if (w.type === undefined) throw`},
		{"wallets/signin.ts", `  if (before && !before.sent) before.stop.abort(walletError('wallet_replaced'));
`, ``},
		{"wallets/signin.ts", `      if (before?.sent) await before.answer.catch(() => undefined);
`, ``},
		{"wallets/signin.ts", `if (before?.kind === kind && `, `if (before?.kind === '' && `},
		{"wallets/signin.ts", `    try { unwatch?.(); } catch { /* the wallet's own affair */ }
`, ``},
		{"wallets/signin.ts", `() => { stop.abort(walletError('wallet_wrong_account')); }`, `() => undefined`},
		{"wallets/signin.ts", `if (session !== sessions.getSnapshot().session?.session_id) throw`, `if (!session) throw`},
		{"wallets/ethereum.ts", `{65}$/i`, `{65}/i`},
		{"wallets/solana.ts", ` || !same(bytes(out.signedMessage, 8192), message)`, ``},
		{"wallets/solana.ts", `if (b.length !== 64) throw`, `if (b.length > 64) throw`},
		{"wallets/identity.ts", ` || chain.delegations.some((d) => d.delegation.targets !== undefined)`, ``},
		{"wallets/errors.ts", `if (e instanceof SessionError) return e;`, `if (isSessionError(e)) return e;`},
		{"wallets/shown.ts", `/^data:image\/(png|jpeg|webp|gif|svg\+xml)[;,]/.test(icon)`, `true`},
		{"wallets/bytes.ts", `|| all.length > most`, ``},
	}
	discoveryMutations = []clientMutation{
		{"wallets/discovery.ts", `    if (!open) return;
`, ``},
		{"wallets/discovery.ts", `found.size < most && `, ``},
	}
	internetIdentityMutations = []clientMutation{
		{"wallets/internetidentity.ts", `storage: nowhere(), `, ``},
		{"wallets/internetidentity.ts", `if (client !== own) await client.signOut?.()`, `if (client === own) await client.signOut?.()`},
	}
)

func TestEveryMutationOfTheClientsWalletsIsKilled(t *testing.T) {
	t.Run("signing in", func(t *testing.T) { killEach(t, "test/wallets.test.ts", walletMutations) })
	t.Run("discovery", func(t *testing.T) { killEach(t, "test/discovery.test.ts", discoveryMutations) })
	t.Run("Internet Identity", func(t *testing.T) { killEach(t, "test/internetidentity.test.ts", internetIdentityMutations) })
}
