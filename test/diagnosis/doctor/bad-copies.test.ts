/** Copies of hosts that are empty, junk, cut off or hostile: an answer or "not known". */

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { hostTree, judge } from './host-tree.ts';

const made: string[] = [];
afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function tree(name?: string): string {
  const directory =
    name === undefined ? mkdtempSync(join(tmpdir(), 'tdctl-copy-')) : hostTree(name);
  made.push(directory);
  return directory;
}

function files(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

test('an empty directory: nothing fails, nothing is claimed', async () => {
  const { conclusion, counts } = await judge(tree());
  expect(conclusion).toBe('cannot-tell');
  expect(counts).toMatchObject({ pass: 0, warn: 0, fail: 0, skipped: 0 });
});

test('binary junk in every file: an answer, and no TDs promised', async () => {
  const directory = tree('healthy');
  const junk = Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 167 + 13) % 256));
  for (const path of files(directory)) writeFileSync(path, junk);
  const { conclusion } = await judge(directory);
  expect(conclusion).not.toBe('ready');
});

test('CRLF line ends change no answer', async () => {
  const before = await judge(tree('healthy'));
  const directory = tree('healthy');
  for (const path of files(directory)) {
    if (/efivars|\.fd$/.test(path)) continue;
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll('\n', '\r\n'));
  }
  const after = await judge(directory);
  expect(after.checks.map(({ id, status }) => [id, status])).toEqual(
    before.checks.map(({ id, status }) => [id, status]),
  );
});

test('files cut in half never crash it', async () => {
  const directory = tree('healthy');
  for (const path of files(directory)) {
    truncateSync(path, Math.floor(readFileSync(path).length / 2));
  }
  expect((await judge(directory)).checks.length).toBeGreaterThan(30);
});

test('directories in place of files', async () => {
  const directory = tree('healthy');
  for (const path of files(directory)) {
    rmSync(path);
    mkdirSync(path);
  }
  expect((await judge(directory)).conclusion).not.toBe('ready');
});

test('a FIFO in place of a file is not waited for', async () => {
  const directory = tree('healthy');
  rmSync(join(directory, 'dmesg.txt'));
  execFileSync('sh', ['-c', 'mkfifo "$0"', join(directory, 'dmesg.txt')]);
  expect((await judge(directory)).checks.length).toBeGreaterThan(30);
});

test('links that lead out of the copy are not followed', async () => {
  const directory = tree();
  mkdirSync(join(directory, 'proc'));
  symlinkSync('/proc/cpuinfo', join(directory, 'proc/cpuinfo'));
  const vendor = (await judge(directory)).checks.find(({ id }) => id === 'cpu.vendor');
  expect(vendor).toMatchObject({ status: 'unknown' });
});

test('firmware outside of the copy is not judged', async () => {
  const directory = tree('no-firmware');
  symlinkSync(
    join(tree('healthy'), 'usr/share/ovmf/OVMF.fd'),
    join(directory, 'usr/share/ovmf/OVMF.fd'),
  );
  const firmware = (await judge(directory)).checks.find(({ id }) => id === 'firmware.tdvf');
  expect(firmware).toMatchObject({ status: 'warn' });
});

test('links in a circle of cgroups end', async () => {
  const directory = tree('healthy');
  symlinkSync('..', join(directory, 'sys/fs/cgroup/machine.slice/loop'));
  expect((await judge(directory)).conclusion).toBe('ready');
});

test('what may not be read is said to be so', async (ctx) => {
  if (process.getuid?.() === 0) ctx.skip('root may read everything');
  const directory = tree('healthy');
  chmodSync(join(directory, 'proc/cpuinfo'), 0);
  const vendor = (await judge(directory)).checks.find(({ id }) => id === 'cpu.vendor');
  expect(vendor?.evidence).toBe('/proc/cpuinfo may not be read by this user');
});

test('kvm.json of another shape is not believed', async () => {
  const directory = tree('healthy');
  for (const text of ['', '[]', '{"open": 5}', '{"open":"ok","answers":{"apiVersion":"x"}}']) {
    writeFileSync(join(directory, 'kvm.json'), text);
    const device = (await judge(directory)).checks.find(({ id }) => id === 'kvm.device');
    expect(device?.status, text).toBe('unknown');
  }
});
