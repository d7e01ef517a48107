// Renders the page for each request, for whoever asks, and keeps nothing of them.
//
//	SESSIOND_URL=http://127.0.0.1:8080 PORT=3000 node dist/server/server.js
import { createReadStream } from 'node:fs';
import { createServer, request } from 'node:http';
import { renderToPipeableStream } from 'react-dom/server';
import { Page } from './page.jsx';

const service = new URL(process.env.SESSIOND_URL ?? 'http://127.0.0.1:8080');

/**
 * What the service says of the request's cookies. Only its own refusal means
 * that nobody is signed in. A token whose time is over is none: the browser
 * exchanges it. What cannot be known stays unknown.
 */
async function whoAsks(req) {
  if (!req.headers.cookie) return null;
  try {
    const res = await fetch(new URL('/api/auth/sessions/validate', service), {
      headers: { Cookie: req.headers.cookie, 'Session-Activity': 'background' },
      redirect: 'error',
      signal: AbortSignal.timeout(2000),
    });
    const { success, data, error } = await res.json();
    if (res.status === 200 && success) return { permissions: data.permissions };
    if (res.status === 401 && !success && error.details?.reason !== 'token_expired') return null;
  } catch { /* it cannot be reached, or somebody else answered */ }
  return undefined;
}

async function page(req, res) {
  const known = await whoAsks(req);
  const stream = renderToPipeableStream(<Page known={known} />, {
    bootstrapModules: ['/client.js'],
    onShellReady() {
      res.writeHead(200, {
        'Content-Type': 'text/html; charset=utf-8',
        'Cache-Control': 'private, no-store', // it is this person's, and for now
        'Referrer-Policy': 'no-referrer',
        'X-Content-Type-Options': 'nosniff',
      });
      stream.pipe(res);
    },
    onShellError() { res.writeHead(500, { 'Cache-Control': 'no-store' }).end(); },
    onError(e) { console.error(e.name); },
  });
}

function script(req, res) {
  const file = createReadStream(new URL(`../client${req.url}`, import.meta.url));
  file.once('open', () => {
    res.writeHead(200, { 'Content-Type': 'text/javascript', 'Cache-Control': 'no-cache' });
    file.pipe(res);
  });
  file.once('error', () => res.writeHead(404).end());
}

/** Passes the call on: page and service must share an origin. In production a gateway does it. */
const passOn = (req) => request({ host: service.hostname, port: service.port, method: req.method, path: req.url, headers: req.headers });

const server = createServer((req, res) => {
  const { pathname } = new URL(req.url, 'http://page');
  if (pathname === '/') return page(req, res);
  if (/^\/(client|assets\/[\w-]+)\.js$/.test(req.url)) return script(req, res);
  if (!pathname.startsWith('/api/') && !/^\/(device|wallets|eip55|problems)\.js$/.test(pathname)) return res.writeHead(404).end();
  const onward = passOn(req);
  onward.once('response', (answer) => {
    res.writeHead(answer.statusCode, answer.headers);
    answer.pipe(res);
  });
  onward.once('error', () => res.writeHead(502, { 'Cache-Control': 'no-store' }).end());
  req.pipe(onward);
});

// The stream of events is a WebSocket.
server.on('upgrade', (req, socket, head) => {
  const onward = passOn(req);
  onward.once('upgrade', (answer, other, rest) => {
    const lines = answer.rawHeaders.reduce((all, text, i) => all + (i % 2 ? `: ${text}\r\n` : text), 'HTTP/1.1 101 Switching Protocols\r\n');
    socket.write(`${lines}\r\n`);
    socket.write(rest);
    other.write(head);
    for (const s of [socket, other]) s.on('error', () => { socket.destroy(); other.destroy(); });
    socket.pipe(other).pipe(socket);
  });
  onward.once('response', () => socket.destroy());
  onward.once('error', () => socket.destroy());
  onward.end();
});

server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => console.log(`listening on http://localhost:${server.address().port}`));
process.once('SIGTERM', () => { server.close(); server.closeAllConnections(); });
