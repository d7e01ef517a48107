// The browser's client, built, where programs of this folder find it by its
// name, beside the libraries that are its peers.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const sdk = join(here, '../../sdk');

// folder makes a folder for programs, which goes with this one.
export function folder() {
  const dir = mkdtempSync(join(here, 'node_modules/.programs-'));
  process.on('exit', () => rmSync(dir, { recursive: true }));
  return dir;
}

// build puts the package into a folder's node_modules, and returns where.
export function build(dir) {
  const home = join(dir, 'node_modules/@mentalverse/session');
  execFileSync('npx', ['--no-install', 'tsc', '-p', 'tsconfig.build.json', '--outDir', join(home, 'dist')], { cwd: sdk, stdio: ['ignore', 'inherit', 'inherit'] });
  cpSync(join(sdk, 'package.json'), join(home, 'package.json'));
  return home;
}
