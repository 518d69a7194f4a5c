/**
 * Ends this process when one input takes too long, and says which: a parser that goes in circles lets
 * nothing else here run, so a thread of its own looks.
 */
import { Worker } from 'node:worker_threads';

/** Far more than any input needs, on however busy a machine. */
const mostMs = 120_000;
const nameBytes = 256;

const source = `
const { workerData: { shared, mostMs } } = require('node:worker_threads');
const number = new Int32Array(shared, 0, 1);
const name = new Uint8Array(shared, 4);
let last = -1, since = Date.now();
setInterval(() => {
  const now = Atomics.load(number, 0);
  if (now !== last) { last = now; since = Date.now(); return; }
  if (Date.now() - since < mostMs) return;
  const text = Buffer.from(name.slice()).toString('utf8').replace(/\\0.*/s, '');
  require('node:fs').writeSync(2, 'no end after ' + mostMs / 1000 + ' s: npm run fuzz -- ' + text + '\\n');
  process.kill(process.pid, 'SIGKILL');
}, 1000);
`;

export class Watchdog {
  readonly #shared = new SharedArrayBuffer(4 + nameBytes);
  readonly #number = new Int32Array(this.#shared, 0, 1);
  readonly #name = new Uint8Array(this.#shared, 4);
  readonly #worker = new Worker(source, {
    eval: true,
    workerData: { shared: this.#shared, mostMs },
  });

  /** @param name how to make the input again */
  begin(name: string): void {
    this.#name.fill(0);
    new TextEncoder().encodeInto(name, this.#name);
    Atomics.add(this.#number, 0, 1);
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
