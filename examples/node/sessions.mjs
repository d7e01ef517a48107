// Sessions are verified in this process, and the service's feed says when they end.
//
// What is remembered of a session counts while the feed is fresh: while it is known
// what had ended until at most five seconds ago. After that nothing is answered from
// memory, and verify refuses with "unavailable" until the feed is heard again.
import { setTimeout as delay } from 'node:timers/promises'
import { keyID, readKeys, readToken, standing } from './tokens.mjs'

const BLIND_AFTER = 5000 // ms without news
const CALL_TIMEOUT = 4000 // ms
const KEYS_AT_MOST_EVERY = 5000 // ms, for tokens with unknown key ids
const MAX_SESSIONS = 100_000
const MAX_REPORT = 1000
const ACTIVE_EVERY = 10_000 // ms
const ANONYMOUS_BUCKET = 300 // seconds, by whose beginning a pseudonym's authentication is known

// Permissions that need a fresh authentication, and how fresh, in seconds.
const SENSITIVE = { 'read:all_profiles': 900, 'write:therapy_notes': 900, 'manage:sessions': 900 }

// Refusal is why a session is not good: session_invalid, session_expired,
// permission_denied, reauthentication_required, or unavailable, which says nothing
// about the session.
export class Refusal extends Error {
  constructor(code, details = {}) {
    super(code)
    this.code = code
    this.details = details
  }
}

const unavailable = (cause) => Object.assign(new Refusal('unavailable'), { cause })

export class Sessions {
  #url; #key; #issuer; #monotonic; #wall
  #sessions = new Map() // by id: {generation, minGen, permissions, subject, …}
  #asking = new Set() // questions on their way: {sid, stale}
  #fresh = null // until when the feed was heard, on both clocks
  #position = ''
  #keys = new Map(); #keysAt = -Infinity; #keysDue = false; #fetching = null
  #seen = new Map() // sightings to report
  #stopping = new AbortController()
  #heard; #running

  // url: of the service; key: a service key (sessiond services add); issuer: its
  // public_url, if it is reached under another one. The clocks are for tests.
  constructor({ url, key, issuer = url, monotonic = () => performance.now(), wall = () => Date.now() }) {
    this.#url = url; this.#key = key; this.#issuer = issuer; this.#monotonic = monotonic; this.#wall = wall
  }

  // start follows the feed, and returns once it was heard.
  async start() {
    const heard = new Promise((resolve) => { this.#heard = resolve })
    this.#running = [this.#follow(), this.#report()]
    await heard
  }

  async stop() {
    this.#stopping.abort()
    await Promise.all(this.#running ?? [])
  }

  // verify returns whose session a token opens and what it may do: {sid, subject, type,
  // permissions, verificationLevel, authTime}; or it throws a Refusal. permissions: those that
  // it must have; maxAge: of its authentication, in seconds; background: no person is behind this.
  async verify(token, { permissions = [], maxAge = Infinity, background = false } = {}) {
    if (this.#blind()) throw unavailable()
    const claims = await this.#genuine(token)
    const at = standing(claims, this.#wall())
    if (at !== 'good') throw new Refusal(at === 'over' ? 'session_expired' : 'session_invalid')
    const session = await this.#session(token, claims, background)
    if (claims.gen < session.minGen || claims.gen + 1 < session.generation) throw new Refusal('session_expired')
    const missing = permissions.filter((name) => !session.permissions.includes(name))
    if (missing.length > 0) throw new Refusal('permission_denied', { missing })
    for (const name of permissions) if (Object.hasOwn(SENSITIVE, name)) maxAge = Math.min(maxAge, SENSITIVE[name])
    const age = this.#wall() / 1000 - claims.auth_time
    const bucket = session.type === 'anonymous' ? ANONYMOUS_BUCKET : 0
    if (age - bucket > maxAge || age < -60) throw new Refusal('reauthentication_required', { maxAge })
    this.#sight(session, claims, background)
    return {
      sid: claims.sid, subject: session.subject, type: session.type, permissions: session.permissions,
      verificationLevel: session.verificationLevel, authTime: claims.auth_time,
    }
  }

  // #genuine returns the claims of a token of the service. Keys are fetched again before
  // one that is not known is refused.
  async #genuine(token) {
    const kid = keyID(token)
    if (kid === null) throw new Refusal('session_invalid')
    if (!this.#keys.has(kid) && this.#monotonic() - this.#keysAt > KEYS_AT_MOST_EVERY) {
      try {
        await this.#fetchKeys()
      } catch (cause) {
        throw unavailable(cause)
      }
      if (this.#blind()) throw unavailable()
    }
    const claims = readToken(token, this.#keys, this.#issuer)
    if (!claims) throw new Refusal('session_invalid')
    return claims
  }

  // #session is what is known of a token's session: remembered, or asked for now.
  async #session(token, claims, background) {
    const known = this.#sessions.get(claims.sid)
    const now = this.#wall()
    if (known && now < known.idleEnd && now < known.sessionEnd) {
      known.generation = Math.max(known.generation, claims.gen)
      return known
    }
    // What ends while the answer is on its way may not be in it: ask again, once.
    for (let i = 0; i < 2; i++) {
      const question = { sid: claims.sid, stale: false }
      this.#asking.add(question)
      try {
        const session = await this.#ask(token, background)
        if (!question.stale) {
          this.#remember(claims.sid, session)
          return session
        }
      } finally {
        this.#asking.delete(question)
      }
    }
    throw unavailable()
  }

  #remember(sid, session) {
    this.#sessions.delete(sid)
    this.#sessions.set(sid, session)
    if (this.#sessions.size > MAX_SESSIONS) this.#sessions.delete(this.#sessions.keys().next().value)
  }

  // #ask asks the service, for a state no older than what the feed has told.
  async #ask(token, background) {
    const { status, body } = await this.#call('POST', '/service/v1/validate', { token, after: this.#position, activity: !background })
    if (status === 200) {
      const d = body.data
      return {
        generation: d.generation, minGen: d.min_gen, permissions: d.permissions, subject: d.user_id ?? d.anonymous_id, type: d.session_type,
        verificationLevel: d.verification_level ?? 'none', idleEnd: Date.parse(d.idle_expires_at), sessionEnd: Date.parse(d.session_expires_at),
        reported: 0, active: -Infinity,
      }
    }
    const code = body.error?.code
    if (['session_invalid', 'session_expired'].includes(code)) throw new Refusal(code)
    throw unavailable(new Error(`validate: ${status} ${code}`)) // a wrong service key too
  }

  // #blind reports whether too much may have happened unheard. The monotonic clock cannot
  // be set, but may stand still while a machine sleeps: the later of both counts.
  #blind() {
    if (this.#fresh === null) return true
    return Math.max(this.#monotonic() - this.#fresh.monotonic, this.#wall() - this.#fresh.wall) > BLIND_AFTER
  }

  async #follow() {
    while (!this.#stopping.signal.aborted) {
      const sent = { monotonic: this.#monotonic(), wall: this.#wall() }
      try {
        const after = this.#position === '' ? '' : `&after=${encodeURIComponent(this.#position)}`
        const { status, body } = await this.#call('GET', `/service/v1/feed?wait=1${after}`)
        if (status !== 200) throw new Error(`feed: ${status} ${body.error?.code}`)
        const fresh = this.#take(body.data, sent)
        if (this.#keysDue) await this.#renewKeys() // else a key that was withdrawn would count on
        if (fresh) this.#renew(fresh)
      } catch {
        await delay(200 + 200 * Math.random(), null, { signal: this.#stopping.signal }).catch(() => {})
      }
    }
  }

  // #take does what an answer of the feed tells, and returns until when all is known:
  // until held_ms after it was asked for, less age_ms, and not the time when it came. It
  // is null if there is more to be told.
  #take(answer, sent) {
    const { position, gap, held_ms: held, age_ms: age, more, events } = answer
    if (typeof position !== 'string' || ![held, age].every((n) => Number.isSafeInteger(n) && n >= 0) || !Array.isArray(events)) throw new Error('feed: malformed')
    const took = this.#monotonic() - sent.monotonic
    if (gap !== false) {
      this.#forgetAll()
      this.#keysDue = true
    }
    for (const e of events) {
      switch (e.event) {
        case 'session.ended':
        case 'session.updated':
          this.#forget(e.session_id)
          break
        case 'keys.changed':
          this.#keysAt = -Infinity
          this.#keysDue = true
          break
        default: // sessions.cut, and what this program does not know
          this.#forgetAll()
      }
    }
    this.#position = position
    if (more === true && gap === false) return null
    const news = Math.min(held, took) - age
    return { monotonic: sent.monotonic + news, wall: sent.wall + news }
  }

  #renew(fresh) {
    if (this.#fresh === null || fresh.monotonic > this.#fresh.monotonic) this.#fresh = fresh
    this.#heard()
  }

  #forget(sid) {
    this.#sessions.delete(sid)
    for (const question of this.#asking) if (question.sid === sid) question.stale = true
  }

  #forgetAll() {
    this.#sessions.clear()
    for (const question of this.#asking) question.stale = true
  }

  // #renewKeys fetches keys that are newer than what the feed has told.
  async #renewKeys() {
    await this.#fetching?.catch(() => {}) // one that began before may not be
    await this.#fetchKeys()
    this.#keysDue = false
  }

  // #fetchKeys fetches the keys, once for all who wait. Keys that are gone are dropped.
  #fetchKeys() {
    this.#fetching ??= (async () => {
      try {
        const { status, body } = await this.#call('GET', '/.well-known/jwks.json')
        if (status !== 200) throw new Error(`keys: ${status}`)
        this.#keys = readKeys(body)
        this.#keysAt = this.#monotonic()
      } finally {
        this.#fetching = null
      }
    })()
    return this.#fetching
  }

  // #sight notes that a token was used, so that the service finds stolen refresh tokens
  // and does not take the person for gone.
  #sight(session, claims, background) {
    const active = !background && this.#monotonic() - session.active > ACTIVE_EVERY
    if (claims.gen <= session.reported && !active) return
    const seen = this.#seen.get(claims.sid)
    if (!seen && this.#seen.size >= MAX_SESSIONS) return
    this.#seen.set(claims.sid, { session_id: claims.sid, generation: Math.max(claims.gen, seen?.generation ?? 1), active: active || seen?.active === true })
    session.reported = Math.max(session.reported, claims.gen)
    if (active) session.active = this.#monotonic()
  }

  async #report() {
    const signal = this.#stopping.signal
    while (!signal.aborted) {
      await delay(500, null, { signal }).catch(() => {})
      const seen = [...this.#seen.values()].slice(0, MAX_REPORT)
      if (seen.length === 0) continue
      try {
        const { status } = await this.#call('POST', '/service/v1/reports', { seen }, true)
        if (status !== 200) continue // later, with what came meanwhile
        for (const s of seen) if (this.#seen.get(s.session_id) === s) this.#seen.delete(s.session_id)
      } catch { /* later */ }
    }
  }

  // #call makes one call. What does not come back as JSON in time is an error that
  // verify makes an "unavailable" of.
  async #call(method, path, data, last = false) {
    try {
      const timeout = AbortSignal.timeout(CALL_TIMEOUT)
      const res = await fetch(this.#url + path, {
        method, redirect: 'error', signal: last ? timeout : AbortSignal.any([timeout, this.#stopping.signal]),
        headers: { Authorization: `Bearer ${this.#key}`, ...(data && { 'Content-Type': 'application/json' }) },
        body: data && JSON.stringify(data),
      })
      return { status: res.status, body: await res.json() }
    } catch (cause) {
      throw unavailable(cause)
    }
  }
}
