package mutation

import "testing"

// What must hold in a browser that signs in anonymously, by sdk/test/anonymous.test.ts.
var anonymousMutations = []clientMutation{
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
	killEach(t, "test/anonymous.test.ts", anonymousMutations)
}
