// What a web worker has and a thread of Node lacks, as far as worker.js uses it.
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const vm = require('node:vm');
const { parentPort, workerData } = require('node:worker_threads');

globalThis.self = globalThis;
globalThis.postMessage = (message) => parentPort.postMessage(message);
globalThis.importScripts = (name) => vm.runInThisContext(readFileSync(join(workerData.scripts, name), 'utf8'), { filename: name });
const fromServer = globalThis.fetch;
globalThis.fetch = async (name, options) => {
  if (name.startsWith('http')) return fromServer(name, options);
  try {
    return new Response(readFileSync(join(workerData.files, name)));
  } catch {
    return new Response('', { status: 404 });
  }
};
parentPort.on('message', (data) => self.onmessage({ data }));
importScripts('worker.js');
