import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { Sessions } from './sessions.mjs'

const ISSUER = 'https://sessions.example.org'

// Fake is a service whose feed and sessions a test writes, and whose clock it sets.
class Fake {
  time = 1_800_000_000_000
  events = [] // what the feed has not told yet
  gap = false; held = 0; age = 0; more = false; cut = false; broken = false
  live = new Map([['sess_1', { generation: 1, min_gen: 1, permissions: ['write:messages'] }]])
  asked = 0; reports = []
  keys = []
  #waiting = null; #told = []; #before = () => {}

  constructor(t, alg = 'EdDSA') {
    this.t = t
    this.newKey(alg)
  }

  newKey(alg) {
    const { publicKey, privateKey } = alg === 'EdDSA' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' })
    this.key = { alg, kid: `k${this.keys.length + 1}`, privateKey }
    this.keys.push({ ...publicKey.export({ format: 'jwk' }), alg, kid: this.key.kid, use: 'sig' })
  }

  async start() {
    this.server = createServer((req, res) => this.#serve(req, res)).listen(0, '127.0.0.1')
    await once(this.server, 'listening')
    const sessions = new Sessions({ url: `http://127.0.0.1:${this.server.address().port}`, key: 'svc', issuer: ISSUER, monotonic: () => this.time, wall: () => this.time })
    this.t.after(async () => {
      this.server.closeAllConnections()
      this.server.close()
      await sessions.stop()
    })
    const started = sessions.start()
    await this.tell()
    await started
    return sessions
  }

  async #serve(req, res) {
    const send = (status, body) => res.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
    let text = ''
    for await (const part of req) text += part
    const body = text && JSON.parse(text)
    if (req.url === '/.well-known/jwks.json') {
      const keys = [...this.keys]
      await this.onKeys?.()
      return this.keysDown ? send(503, {}) : send(200, { keys })
    }
    assert.equal(req.headers.authorization, 'Bearer svc')
    if (req.url.startsWith('/service/v1/feed')) {
      this.#told.shift()?.()
      this.#waiting = () => this.broken ? res.end('{') : send(200, { data: { position: 'p', gap: this.gap, held_ms: this.held, age_ms: this.age, more: this.more, events: this.events.splice(0) } })
      this.#before()
      return
    }
    if (req.url === '/service/v1/reports') {
      this.reports.push(...body.seen)
      return send(200, { data: { accepted: body.seen.length } })
    }
    this.asked++
    await this.onAsk?.()
    if (this.down) return send(503, { error: { code: 'unavailable' } })
    if (this.wrongKey) return send(401, { error: { code: 'credential_invalid' } })
    const sid = JSON.parse(Buffer.from(body.token.split('.')[1], 'base64url')).sid
    const state = this.live.get(sid)
    if (!state) return send(401, { error: { code: 'session_invalid' } })
    const end = new Date(1_900_000_000_000).toISOString()
    send(200, { data: { user_id: 'user_1', session_type: 'standard', idle_expires_at: end, session_expires_at: end, ...state } })
  }

  // tell lets the feed answer the request that it holds, and returns when the next came.
  async tell() {
    if (!this.#waiting) await new Promise((resolve) => { this.#before = resolve })
    const next = new Promise((resolve) => this.#told.push(resolve))
    const answer = this.#waiting
    this.#waiting = null
    answer()
    await next
  }

  token(change = {}, head = {}) {
    const now = this.time / 1000
    const encode = (o) => Buffer.from(JSON.stringify(o)).toString('base64url')
    const input = `${encode({ alg: this.key.alg, typ: 'session+jwt', kid: this.key.kid, ...head })}.${encode({ iss: ISSUER, sub: 'user_1', sid: 'sess_1', gen: 1, iat: now, exp: now + 3600, auth_time: now, scope: '', typ: 'standard', ...change })}`
    const signature = sign(this.key.alg === 'EdDSA' ? null : 'sha256', Buffer.from(input), { key: this.key.privateKey, dsaEncoding: 'ieee-p1363' })
    return `${input}.${signature.toString('base64url')}`
  }
}

const refused = (promise, code) => assert.rejects(promise, (e) => e.code === code || assert.fail(`${e.code ?? e.stack}, want ${code}`))

for (const alg of ['EdDSA', 'ES256']) {
  test(`a genuine ${alg} token opens its session, and is asked about once`, async (t) => {
    const f = new Fake(t, alg)
    const s = await f.start()
    const token = f.token()
    for (let i = 0; i < 3; i++) assert.equal((await s.verify(token, { permissions: ['write:messages'] })).subject, 'user_1')
    assert.equal(f.asked, 1)
  })

  test(`no forged ${alg} token opens anything, or costs a question`, async (t) => {
    const f = new Fake(t, alg)
    const s = await f.start()
    const good = f.token()
    const [head, claims, signature] = good.split('.')
    const other = new Fake(t, alg === 'EdDSA' ? 'ES256' : 'EdDSA')
    const forged = [
      '', 'x', 'a.b.c', '..', good + '.', good + '=', good + ' ', `${head}.${claims}.`, `${head}.${f.token({ sid: 'sess_2' }).split('.')[1]}.${signature}`,
      f.token({}, { alg: 'none' }), f.token({}, { alg: 'HS256' }), f.token({}, { typ: 'JWT' }), f.token({}, { kid: 'k9' }), f.token({}, { jku: 'https://evil.example' }),
      other.token(), f.token({ iss: 'https://evil.example' }), f.token({ gen: '1' }), f.token({ exp: 1e300 }), f.token({ sid: undefined }), f.token({ iat: f.time / 1000 + 61 }), 'x'.repeat(5000), 7, null,
    ]
    for (const token of forged) await refused(s.verify(token), 'session_invalid')
    await refused(s.verify(f.token({ exp: f.time / 1000 })), 'session_expired')
    assert.equal(f.asked, 0)
  })
}

test('what the feed tells counts at once', async (t) => {
  const f = new Fake(t)
  const s = await f.start()
  await s.verify(f.token())
  f.live.delete('sess_1')
  f.events = [{ event: 'session.ended', session_id: 'sess_1', reason: 'revoked' }]
  await f.tell()
  await refused(s.verify(f.token()), 'session_invalid')
  for (const event of [{ event: 'sessions.cut' }, { event: 'session.updated', session_id: 'sess_1', min_gen: 2 }, { event: 'of the future' }]) {
    f.live.set('sess_1', { generation: 1, min_gen: 1, permissions: ['write:messages'] })
    await s.verify(f.token())
    f.live.set('sess_1', { generation: 2, min_gen: 2, permissions: [] })
    f.events = [event]
    await f.tell()
    await refused(s.verify(f.token()), 'session_expired')
    await refused(s.verify(f.token({ gen: 2 }), { permissions: ['write:messages'] }), 'permission_denied')
    f.events = [{ event: 'sessions.cut' }]
    await f.tell()
  }
})

test('a gap forgets everything', async (t) => {
  const f = new Fake(t)
  const s = await f.start()
  await s.verify(f.token())
  f.live.clear()
  f.gap = true
  await f.tell()
  await refused(s.verify(f.token()), 'session_invalid')
})

test('five seconds after the last news nothing is answered from memory', async (t) => {
  const f = new Fake(t)
  const s = await f.start() // the request that is held was sent at this time
  await s.verify(f.token())
  const token = f.token()
  f.time += 4999
  await f.tell() // asked for 4,999 ms ago: it renews nothing
  f.time += 1
  await s.verify(token)
  f.time += 1
  await refused(s.verify(token), 'unavailable')
  await refused(s.verify('forged'), 'unavailable')
  assert.equal(f.asked, 1)
  await f.tell() // sent 2 ms ago
  await s.verify(token)
  assert.equal(f.asked, 1)
})

test('an answer is as new as its question, and what it was held, less the age of its read', async (t) => {
  const f = new Fake(t)
  const s = await f.start()
  await f.tell()
  const token = f.token()
  await s.verify(token)
  f.time += 1000
  f.held = 1000
  await f.tell()
  f.time += 5000
  await s.verify(token)
  f.time += 1
  await refused(s.verify(token), 'unavailable')
})

test('an answer from an older read is as old as its read', async (t) => {
  const f = new Fake(t)
  const s = await f.start()
  await f.tell()
  const token = f.token()
  await s.verify(token)
  f.time += 4000
  await f.tell()
  f.age = 3000
  await f.tell() // asked now, and read 3 s ago
  f.time += 2000
  await s.verify(token)
  f.time += 1
  await refused(s.verify(token), 'unavailable')
})

test('an answer that does not tell all yet renews nothing', async (t) => {
  const f = new Fake(t)
  const s = await f.start()
  await f.tell()
  const token = f.token()
  await s.verify(token)
  f.more = true
  f.time += 5000
  await f.tell()
  await f.tell() // asked now
  await s.verify(token)
  f.time += 1
  await refused(s.verify(token), 'unavailable')
  f.more = false
  await f.tell()
  await s.verify(token)
})

test('an end that crosses the answer of a question is not lost', async (t) => {
  const f = new Fake(t)
  const s = await f.start()
  f.onAsk = async () => {
    f.onAsk = null
    f.events = [{ event: 'session.ended', session_id: 'sess_1', reason: 'logout' }]
    await f.tell()
    f.onAsk = () => { f.live.delete('sess_1') } // the first answer still says valid
  }
  await refused(s.verify(f.token()), 'session_invalid')
  assert.equal(f.asked, 2)
})

test('a service that cannot answer, or does not know this one, opens and ends nothing', async (t) => {
  const f = new Fake(t)
  const s = await f.start()
  f.down = true
  await refused(s.verify(f.token()), 'unavailable')
  f.down = false
  f.wrongKey = true
  await refused(s.verify(f.token()), 'unavailable')
  f.wrongKey = false
  await s.verify(f.token())
})

test('a new key is fetched before its token is refused', async (t) => {
  const f = new Fake(t)
  const s = await f.start()
  await s.verify(f.token())
  f.newKey('EdDSA')
  f.events = [{ event: 'keys.changed' }]
  await f.tell()
  await s.verify(f.token())
})

test('old generations are refused, and fresh authentication is asked for', async (t) => {
  const f = new Fake(t)
  const s = await f.start()
  f.live.set('sess_1', { generation: 3, min_gen: 1, permissions: ['write:therapy_notes'] })
  await s.verify(f.token({ gen: 2 }))
  await refused(s.verify(f.token({ gen: 1 })), 'session_expired')
  await s.verify(f.token({ gen: 4 })) // refreshed meanwhile
  await refused(s.verify(f.token({ gen: 2 })), 'session_expired')
  const old = f.token({ gen: 4, auth_time: f.time / 1000 - 901 })
  await s.verify(old)
  await refused(s.verify(old, { maxAge: 900 }), 'reauthentication_required')
  await refused(s.verify(old, { permissions: ['write:therapy_notes'] }), 'reauthentication_required')
})

test('a withdrawn key opens nothing, also if the keys do not come at once', async (t) => {
  for (const news of [{ events: [{ event: 'keys.changed' }] }, { gap: true }]) {
    const f = new Fake(t)
    const s = await f.start()
    const stolen = f.token()
    await s.verify(stolen)
    f.keys = []
    f.newKey('EdDSA')
    f.keysDown = true
    Object.assign(f, news)
    await f.tell()
    f.time += 6000 // what was heard vouches for nothing until the keys are here
    await f.tell()
    await refused(s.verify(stolen), 'unavailable')
    f.keysDown = false
    await f.tell()
    await refused(s.verify(stolen), 'session_invalid')
    f.gap = false
    await f.tell()
    await s.verify(f.token())
  }
})

test('keys that were asked for before the news are not taken for newer ones', async (t) => {
  const f = new Fake(t)
  const s = await f.start()
  const stolen = f.token()
  await s.verify(stolen)
  let go
  const held = new Promise((resolve) => { go = resolve })
  const asked = new Promise((resolve) => { f.onKeys = () => { resolve(); return held } })
  f.time += 6000
  await f.tell()
  await f.tell()
  const unknown = refused(s.verify(f.token({}, { kid: 'k9' })), 'session_invalid') // has the keys fetched
  await asked
  f.onKeys = undefined
  f.keys = []
  f.newKey('EdDSA')
  f.events = [{ event: 'keys.changed' }]
  const told = f.tell()
  await new Promise((resolve) => setTimeout(resolve, 50))
  go()
  await unknown
  await told
  await refused(s.verify(stolen), 'session_invalid')
})

test('an answer does not count for longer than it took', async (t) => {
  const f = new Fake(t)
  const s = await f.start()
  await s.verify(f.token())
  f.held = 3_600_000
  await f.tell()
  f.time += 6000
  await refused(s.verify(f.token()), 'unavailable')
})

test('a pseudonym is known by the beginning of its five minutes', async (t) => {
  const f = new Fake(t)
  const s = await f.start()
  f.live.set('sess_1', { generation: 1, min_gen: 1, permissions: [], session_type: 'anonymous' })
  const at = (ago) => f.token({ typ: 'anonymous', auth_time: f.time / 1000 - ago })
  await s.verify(at(299), { maxAge: 60 })
  await refused(s.verify(at(361), { maxAge: 60 }), 'reauthentication_required')
})
