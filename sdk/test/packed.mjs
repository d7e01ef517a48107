// Packs the package as it is published, and holds it against publint and
// are-the-types-wrong; an application that is built with it has the prover's whole
// worker.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';

const dir = mkdtempSync(join(tmpdir(), 'pack-'));
const run = (...command) => execFileSync(command[0], command.slice(1), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
try {
  const [{ filename, files }] = JSON.parse(run('npm', 'pack', '--silent', '--json', '--pack-destination', dir));
  const odd = files.map((f) => f.path).filter((p) => !/^(dist\/((react|wallets|anonymous)\/)?[a-z0-9]+\.(js|d\.ts)|dist\/anonymous\/wasm_exec\.(js|LICENSE)|package\.json|README\.md|LICENSE)$/.test(p));
  if (odd.length) throw new Error(`the package holds ${odd.join(', ')}`);
  run('npx', '--no-install', 'publint', '--strict', join(dir, filename));
  run('npx', '--no-install', 'attw', '--profile', 'esm-only', '--no-definitely-typed', join(dir, filename));

  const app = join(dir, 'app');
  const home = join(app, 'node_modules/@mentalverse/session');
  mkdirSync(home, { recursive: true });
  run('tar', '-xzf', join(dir, filename), '-C', home, '--strip-components=1');
  writeFileSync(join(app, 'index.html'), '<!doctype html><script type="module" src="./main.js"></script>');
  writeFileSync(join(app, 'main.js'), "import { AnonymousDevice } from '@mentalverse/session/anonymous'; window.open = () => new AnonymousDevice({ apiUrl: '/api' });");
  await build({ root: app, logLevel: 'silent' });
  const worker = readdirSync(join(app, 'dist/assets')).find((f) => /^worker-.*\.js$/.test(f));
  const code = worker ? readFileSync(join(app, 'dist/assets', worker), 'utf8') : '';
  for (const part of ['getWitness', 'gojs', 'force-cache']) if (!code.includes(part)) throw new Error(`the built worker (${worker}) lacks ${part}`);
} finally {
  rmSync(dir, { recursive: true });
}
