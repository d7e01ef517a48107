// Session tokens: JWTs of one service, verified with its published keys (JWKS).
import { createPublicKey, verify } from 'node:crypto'

const MAX_TOKEN = 4096 // bytes
const CLOCK_SKEW = 60 // seconds that the service's clock may be ahead

const digests = { EdDSA: null, ES256: 'sha256' }

// readKeys reads a JWKS: a map of key ids to {alg, key}. A key serves one algorithm,
// which the key says and never a token.
export function readKeys(jwks) {
  const keys = new Map()
  for (const jwk of jwks.keys) {
    if (!Object.hasOwn(digests, jwk.alg) || typeof jwk.kid !== 'string' || keys.has(jwk.kid)) continue
    const curve = jwk.alg === 'EdDSA' ? 'Ed25519' : 'P-256'
    if (jwk.crv === curve) keys.set(jwk.kid, { alg: jwk.alg, key: createPublicKey({ key: jwk, format: 'jwk' }) })
  }
  return keys
}

// keyID returns the key id that a token names, or null if it is no session token.
export function keyID(token) {
  const head = typeof token === 'string' && token.length <= MAX_TOKEN ? json(token.split('.', 1)[0]) : null
  return head?.typ === 'session+jwt' && typeof head.kid === 'string' ? head.kid : null
}

// readToken returns the claims of a genuine session token of any time, else null.
export function readToken(token, keys, issuer) {
  if (typeof token !== 'string' || token.length > MAX_TOKEN) return null
  const parts = token.split('.')
  if (parts.length !== 3) return null
  const head = json(parts[0])
  const found = keys.get(head?.kid)
  const signature = bytes(parts[2])
  if (!found || head.alg !== found.alg || head.typ !== 'session+jwt' || Object.keys(head).length !== 3 || !signature) return null
  const signed = Buffer.from(`${parts[0]}.${parts[1]}`)
  if (!verify(digests[found.alg], signed, { key: found.key, dsaEncoding: 'ieee-p1363' }, signature)) return null
  const claims = json(parts[1])
  const whole = (n) => Number.isSafeInteger(n) && n >= 0
  if (claims?.iss !== issuer || !['sub', 'sid', 'typ', 'scope'].every((name) => typeof claims[name] === 'string')) return null
  return ['gen', 'iat', 'exp', 'auth_time'].every((name) => whole(claims[name])) ? claims : null
}

// standing is 'good', 'early' or 'over': how a genuine token stands to the time, in
// milliseconds since 1970.
export function standing(claims, now) {
  if (claims.iat > now / 1000 + CLOCK_SKEW) return 'early'
  return now < claims.exp * 1000 ? 'good' : 'over'
}

// bytes reads base64url without padding in its one spelling, else null.
function bytes(text) {
  const b = Buffer.from(text ?? '', 'base64url')
  return b.length > 0 && b.toString('base64url') === text ? b : null
}

function json(text) {
  try {
    const value = JSON.parse(bytes(text))
    return value !== null && typeof value === 'object' ? value : null
  } catch {
    return null
  }
}
