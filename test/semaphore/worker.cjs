// What a web worker has and a thread of Node lacks, as far as worker.js uses it.
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const vm = require('node:vm');
const { parentPort, workerData } = require('node:worker_threads');

globalThis.self = globalThis;
globalThis.postMessage = (message) => parentPort.postMessage(message);
const fromServer = globalThis.fetch;
globalThis.fetch = async (name, options) => {
  const { credentials, cache, redirect } = options;
  // With anything else a server could know a browser again.
  if (credentials !== 'omit' || !['force-cache', 'reload'].includes(cache) || redirect !== 'error') throw new Error(`asked with ${JSON.stringify(options)}`);
  if (name.startsWith('http')) return fromServer(name, options);
  try {
    return new Response(readFileSync(join(workerData.files, name)));
  } catch {
    return new Response('', { status: 404 });
  }
};
// run runs a module that only imports for what the others do: for Node, a script
// in a folder without a package is none.
function run(name) {
  const text = readFileSync(join(workerData.scripts, name), 'utf8').replace(/^import '\.\/(.+)';$/gm, (_, other) => { run(other); return ''; });
  vm.runInThisContext(`'use strict';${text}`, { filename: name });
}
parentPort.on('message', (data) => self.onmessage({ data }));
run('worker.js');
