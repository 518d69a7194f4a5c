// @ts-check
/** Speed of the live stream: events a second that several viewers get, over loopback. Works on the build output. */
import { request } from 'node:http';

const { startWatchServer, watchFeed } = await import(
  new URL('../build/modules/src/watch/index.js', import.meta.url).href
);

/** @typedef {{ name: string, value: number, unit: string, aim: number, atLeast: boolean, detail: string }} Row */

const viewers = 4;
const events = 20_000;
const aim = 200;

/** @returns {Promise<Row[]>} */
export async function bench() {
  const feed = watchFeed();
  const page = () => '';
  const server = await startWatchServer({ address: { port: 0 }, feed, pacer: undefined, page });
  const arrivals = Array.from({ length: viewers }, () => lastEvent(`${server.url}events`));
  await new Promise((resolve) => setTimeout(resolve, 100));
  const from = performance.now();
  for (let at = 0; at < events; at += 100) {
    for (let each = 0; each < 100; each += 1) feed.publish(event(at + each));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(arrivals);
  const value = events / ((performance.now() - from) / 1000);
  const late = performance.now();
  await lastEvent(`${server.url}events`);
  const caughtUpMs = performance.now() - late;
  await server.close();
  const detail = `${events} events to ${viewers} viewers; a late one has all after ${caughtUpMs.toFixed(0)} ms`;
  return [{ name: 'live stream', value, unit: 'events/s', aim, atLeast: true, detail }];
}

/** @param {number} at */
function event(at) {
  const state = 'provisioning.creatingVcpus';
  const requests = [{ request: 'KVM_CREATE_VCPU', answer: 'ok', count: 4 }];
  return {
    kind: 'event',
    lane: 'web',
    atMs: at,
    usedSlots: 1,
    event: {
      td: 'web',
      machine: 'td-lifecycle',
      machineVersion: 1,
      state,
      elapsedMs: at,
      event: 'step.ended',
      step: 'creatingVcpus',
      result: 'done',
      durationMs: 0.2,
      requests,
    },
  };
}

/**
 * Resolves when the last event has come, and hangs up.
 * @param {string} url
 * @returns {Promise<void>}
 */
function lastEvent(url) {
  return new Promise((resolve, reject) => {
    let tail = '';
    const asked = request(url, { agent: false }, (response) => {
      response.on('data', (chunk) => {
        tail = (tail + chunk).slice(-2000);
        if (!tail.includes(`id: ${events}\n`)) return;
        asked.destroy();
        resolve();
      });
    });
    asked.on('error', reject).end();
  });
}
