#!/usr/bin/env node
// @ts-check
/**
 * Makes package-lock.json fit for every registry: `npm install && node scripts/complete-lockfile.mjs`.
 *
 * - Download addresses are taken out: the lockfile pins versions and hashes, not places.
 * - npm leaves a platform package out of the lockfile when the registry at hand does not have it,
 *   and then `npm ci` refuses the lockfile everywhere. Each one that a locked package names is put
 *   in, with the platform that its name says, so that npm skips it where it does not fit.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const file = 'package-lock.json';
const systems = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const cpus = [
  'arm',
  'arm64',
  'ia32',
  'loong64',
  'mips64el',
  'ppc64',
  'riscv64',
  's390x',
  'wasm32',
  'x64',
];

/** @typedef {{ version: string, resolved?: string, dev?: boolean, optional?: boolean, optionalDependencies?: Record<string, string> }} Locked */

const lock = JSON.parse(readFileSync(file, 'utf8'));
/** @type {Record<string, Locked>} */
const packages = lock.packages;

for (const locked of Object.values(packages)) delete locked.resolved;

for (const locked of Object.values(packages)) {
  for (const [name, range] of Object.entries(locked.optionalDependencies ?? {})) {
    const platform = platformOf(name);
    if (packages[`node_modules/${name}`] || !platform) continue;
    packages[`node_modules/${name}`] = {
      version: range.replace(/^[\^~]/, ''),
      ...platform,
      ...(locked.dev && { dev: true }),
      optional: true,
    };
  }
}

lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);

/** `@biomejs/cli-linux-x64-musl` is for Linux, x64 and musl. @param {string} name */
function platformOf(name) {
  const words = name.split(/[/-]/);
  const os = systems.find((system) => words.includes(system));
  const cpu = cpus.find((candidate) => words.includes(candidate));
  if (!os || !cpu) return undefined;
  const libc = words.some((word) => word.startsWith('musl')) ? 'musl' : undefined;
  return { cpu: [cpu], os: [os], ...(libc && { libc: [libc] }) };
}
