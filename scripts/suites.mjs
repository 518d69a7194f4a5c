#!/usr/bin/env node
// @ts-check
/**
 * Other people's tests of KVM, natively and under `tdctl exec`, compared:
 * `node scripts/suites.mjs [--fetch] [--short] [--accept]`.
 *
 *   --fetch    only fetch and build what is run, into build/suites
 *   --short    the part of each suite that `npm test` runs
 *   --accept   enter what agrees into the lists of test/suites/lists, and the lists into docs/simulator.md
 *
 * What cannot be had is told and skipped.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const root = resolve(import.meta.dirname, '..');
const folder = join(root, 'build/suites');

const { values: options } = parseArgs({
  options: {
    fetch: { type: 'boolean', default: false },
    short: { type: 'boolean', default: false },
    accept: { type: 'boolean', default: false },
  },
});

/** @type {string[]} */
const shortSelftests = JSON.parse(
  readFileSync(join(root, 'test/suites/kvm-selftests/short.json'), 'utf8'),
);

/**
 * By what the tests call it: the script that fetches it, and its arguments.
 * @type {Record<string, string[]>}
 */
const sources = {
  qemu: ['test/exec/qemu/unpack.sh'],
  'kvm-selftests': [
    'test/suites/kvm-selftests/fetch.sh',
    join(folder, 'kvm-selftests'),
    ...(options.short ? shortSelftests : []),
  ],
  'kvm-ioctls': ['test/suites/kvm-ioctls/fetch.sh', join(folder, 'kvm-ioctls')],
  // The first that none of us had in mind; `npm test` has the newer one alone.
  ...(options.short
    ? {}
    : { 'qemu-7.2': ['test/exec/qemu/unpack.sh', join(folder, 'qemu-7.2'), 'bookworm'] }),
};

await fetchAll();
process.exitCode = options.fetch ? 0 : run();

async function fetchAll() {
  mkdirSync(folder, { recursive: true });
  await Promise.all(Object.entries(sources).map(([name, command]) => fetchOne(name, command)));
}

async function fetchOne(/** @type {string} */ name, /** @type {string[]} */ command) {
  const whyNot = join(folder, `${name}.why-not`);
  rmSync(whyNot, { force: true });
  const started = performance.now();
  const child = spawn('bash', command, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const status = await new Promise((ended) => {
    child.on('error', ended).on('close', ended);
  });
  const seconds = Math.round((performance.now() - started) / 1000);
  if (status === 0) return console.log(`${name}: here after ${seconds} s`);
  const reason = stderr.trim().split('\n').at(-1) || `bash ended with ${status}`;
  writeFileSync(whyNot, `${reason}\n`);
  console.log(`${name}: ${reason}`);
}

function run() {
  const environment = {
    ...(options.short ? {} : { TDCTL_SUITES: 'full' }),
    ...(options.accept ? { TDCTL_SUITES_ACCEPT: 'yes' } : {}),
  };
  const steps = [
    ['npm', 'run', '--silent', 'build'],
    ['node', 'scripts/build-native.mjs', '--if-possible'],
    ['npx', 'vitest', 'run', 'test/suites'],
  ];
  for (const [program = '', ...args] of steps) {
    const { status } = spawnSync(program, args, {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, ...environment },
    });
    if (status !== 0) return status ?? 1;
  }
  return 0;
}
