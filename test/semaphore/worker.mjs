// Proves with the prover for browsers: node worker.mjs SCRIPTS FILES, where
// SCRIPTS holds worker.js, and FILES the artifacts. Reads calls as a JSON array
// and writes for each {value} or {error}, what progress it told, and what time
// and processor time it took.
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

const [scripts, files] = process.argv.slice(2);
const worker = new Worker(new URL('./worker.cjs', import.meta.url), { workerData: { scripts, files } });
worker.on('error', (error) => { throw error; });

let last = 0;
function call(message) {
  const id = ++last;
  const began = performance.now();
  const before = process.cpuUsage();
  const progress = [];
  return new Promise((resolve) => {
    worker.on('message', function take(answer) {
      if (answer.id !== id) return;
      if (answer.progress !== undefined) return progress.push(answer.progress);
      worker.off('message', take);
      const { value, error } = answer;
      const { user, system } = process.cpuUsage(before); // of all threads
      resolve({ value, error, progress, ms: performance.now() - began, cpu: (user + system) / 1000 });
    });
    worker.postMessage({ id, ...message });
  });
}

const answers = [];
for (const message of JSON.parse(readFileSync(0))) answers.push(await call(message));
console.log(JSON.stringify(answers));
await worker.terminate();
