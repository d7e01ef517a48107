// Packs the package as it is published, and holds it against publint and
// are-the-types-wrong.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const dir = mkdtempSync(join(tmpdir(), 'pack-'));
const run = (...command) => execFileSync(command[0], command.slice(1), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
try {
  const [{ filename, files }] = JSON.parse(run('npm', 'pack', '--silent', '--json', '--pack-destination', dir));
  const odd = files.map((f) => f.path).filter((p) => !/^(dist\/((react|anonymous)\/)?[a-z]+\.(js|d\.ts)|dist\/anonymous\/wasm_exec\.(js|LICENSE)|package\.json|README\.md|LICENSE)$/.test(p));
  if (odd.length) throw new Error(`the package holds ${odd.join(', ')}`);
  run('npx', '--no-install', 'publint', '--strict', join(dir, filename));
  run('npx', '--no-install', 'attw', '--profile', 'esm-only', '--no-definitely-typed', join(dir, filename));
} finally {
  rmSync(dir, { recursive: true });
}
