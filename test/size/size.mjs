// Prints the table of docs/size.md: what a page loads for its session, of this
// package and of others, through one bundler.
//
//	npm ci && node size.mjs
import { readFileSync } from 'node:fs';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build } from 'rolldown';

const ours = new URL('../../sdk/src/', import.meta.url).pathname;
const all = ['SessionProvider', 'useSession', 'usePermission', 'useReauthentication'];

// For each: what a page imports that signs in, shows the session, keeps it
// fresh and signs out. React itself is external: every page of React's has it.
const without = [
  ['`@mentalverse/session`', [[`${ours}index.ts`, ['SessionManager']]]],
  ['better-auth/client', [['better-auth/client', ['createAuthClient']]]],
  ['oidc-client-ts', [['oidc-client-ts', ['UserManager']]]],
  ['@supabase/auth-js', [['@supabase/auth-js', ['AuthClient']]]],
  ['supertokens-web-js, session only', [['supertokens-web-js', ['init']], ['supertokens-web-js/recipe/session', ['default']]]],
  ['supertokens-web-js, e-mail and password', [['supertokens-web-js', ['init']], ['supertokens-web-js/recipe/session', ['default']], ['supertokens-web-js/recipe/emailpassword', ['default']]]],
];
const react = [
  ['`@mentalverse/session`, manager, provider and hooks', [[`${ours}index.ts`, ['SessionManager']], [`${ours}react/index.ts`, all]]],
  ['`@mentalverse/session`, with monitor, warning, quick exit, status', [[`${ours}index.ts`, ['SessionManager', 'SessionMonitor']], [`${ours}react/index.ts`, [...all, 'ExpiryWarning', 'QuickExit', 'SessionStatus']]]],
  ['better-auth/react', [['better-auth/react', ['createAuthClient']]]],
  ['next-auth/react (Auth.js)', [['next-auth/react', ['SessionProvider', 'useSession', 'signIn', 'signOut']]]],
];

const external = [/^react(-dom)?($|\/)/];
const entry = (imports) => imports.map(([from, names], i) => `export { ${names.map((n) => (n === 'default' ? `default as recipe${i}` : n)).join(', ')} } from ${JSON.stringify(from)};`).join('\n');

/** The bundle's code: what loads at once, and what may load later. */
async function bundle(imports) {
  const { output } = await build({
    input: 'page', external, write: false, logLevel: 'silent', platform: 'browser',
    cwd: import.meta.dirname,
    transform: { target: 'es2022', define: { 'process.env.NODE_ENV': '"production"' } },
    plugins: [{ name: 'page', resolveId: (id) => (id === 'page' ? `${import.meta.dirname}/page.mjs` : undefined), load: (id) => (id.endsWith('/page.mjs') ? entry(imports) : undefined) }],
    output: { format: 'esm', minify: true },
  });
  const chunks = new Map(output.filter((o) => o.type === 'chunk').map((c) => [c.fileName, c]));
  const first = new Set([...chunks.values()].filter((c) => c.isEntry).map((c) => c.fileName));
  for (const name of first) for (const more of chunks.get(name)?.imports ?? []) first.add(more);
  const code = (now) => [...chunks.values()].filter((c) => first.has(c.fileName) === now).map((c) => c.code).join('');
  return { now: code(true), later: code(false) };
}

const kB = (bytes) => (Math.ceil(bytes / 100) / 10).toFixed(1);
const gzip = (code) => gzipSync(code, { level: 9 }).length;
const version = (name) => JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url), 'utf8')).version;

async function table(title, rows) {
  console.log(`| ${title} | minified | gzip | brotli | later (gzip) |\n|---|--:|--:|--:|--:|`);
  for (const [name, imports] of rows) {
    const { now, later } = await bundle(imports);
    const from = imports[0][0];
    const known = from.startsWith('/') ? '' : ` ${version(from.startsWith('@') ? from.split('/').slice(0, 2).join('/') : from.split('/')[0])}`;
    console.log(`| ${name.replace(/(?=,)|$/, known)} | ${kB(now.length)} | ${kB(gzip(now))} | ${kB(brotliCompressSync(now).length)} | ${later ? kB(gzip(later)) : ''} |`);
  }
  console.log();
}

await table('without a framework, kB', without);
await table('React (external), kB', react);
