// A back end with one route for people who may write messages.
//
//	sessiond services add chat --reason "the chat's back end"
//	SESSIOND_URL=http://127.0.0.1:8080 SESSIOND_ISSUER=https://sessions.example.org \
//	SESSIOND_SERVICE_KEY_FILE=/etc/chat/service.key PORT=3000 node server.mjs
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { Refusal, Sessions } from './sessions.mjs'

const statuses = { session_invalid: 401, session_expired: 401, reauthentication_required: 401, permission_denied: 403, unavailable: 503 }

const sessions = new Sessions({
  url: process.env.SESSIOND_URL,
  issuer: process.env.SESSIOND_ISSUER ?? process.env.SESSIOND_URL,
  key: readFileSync(process.env.SESSIOND_SERVICE_KEY_FILE, 'utf8').trim(),
})

// only answers with what handle returns to people whose session is good for it.
const only = (requirement, handle) => async (req, res) => {
  try {
    const bearer = /^Bearer ([A-Za-z0-9._-]+)$/i.exec(req.headers.authorization ?? '')
    if (!bearer) throw new Refusal('session_invalid')
    const session = await sessions.verify(bearer[1], requirement)
    answer(res, 200, { success: true, data: handle(session) })
  } catch (error) {
    refuse(res, error instanceof Refusal ? error : new Refusal('unavailable'))
  }
}

function refuse(res, { code, details }) {
  const status = statuses[code]
  if (status === 503) res.setHeader('Retry-After', '2')
  if (code === 'reauthentication_required') {
    res.setHeader('WWW-Authenticate', `Bearer error="insufficient_user_authentication", max_age="${details.maxAge}"`)
  } else if (status === 401) {
    res.setHeader('WWW-Authenticate', 'Bearer error="invalid_token"')
  }
  answer(res, status, { success: false, error: { code, message: code.replaceAll('_', ' '), ...(details.missing && { details: { missing: details.missing } }) } })
}

function answer(res, status, body) {
  res.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' }).end(JSON.stringify(body))
}

const routes = {
  'GET /messages': only({ permissions: ['write:messages'] }, (session) => ({ for: session.subject, type: session.type, messages: [] })),
}

const server = createServer((req, res) => {
  const route = routes[`${req.method} ${req.url.split('?', 1)[0]}`]
  if (route) return route(req, res)
  answer(res, 404, { success: false, error: { code: 'not_found', message: 'There is nothing here.' } })
})

await sessions.start()
server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`))

process.once('SIGTERM', async () => {
  server.close()
  server.closeAllConnections()
  await sessions.stop()
})
