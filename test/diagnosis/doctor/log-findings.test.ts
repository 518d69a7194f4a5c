import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { readFacts } from '../../../src/diagnosis/doctor/index.ts';
import { askedMessages, findInLog } from '../../../src/diagnosis/doctor/log-findings.ts';
import { logFacts } from '../../../src/diagnosis/doctor/read/kernel-log.ts';
import { rows } from '../../../src/diagnosis/explain/messages/find.ts';
import { hostTree } from './host-tree.ts';

const linesOf = (text: string) => logFacts(text)?.lines ?? [];
const find = (text: string) => findInLog(linesOf(text));

describe('a line means the same in every form a log is passed on', () => {
  const line = 'virt/tdx: BIOS enabled: private KeyID range [32, 64)';
  test.each([
    ['as printed', line],
    ['by dmesg', `[    1.824045] ${line}`],
    ['by dmesg -r', `<6>[    1.824045] ${line}`],
    ['by dmesg -T', `[Sat Nov 21 10:00:00 2026] ${line}`],
    ['by journalctl -k', `Nov 21 10:00:00 node-17.example.org kernel: ${line}`],
    ['with caller ids', `[    1.824045][    T1] ${line}`],
    ['with CRLF', `[    1.824045] ${line}\r`],
    ['by a kernel of before 6.7', `[    1.8] ${line.replace('virt/', '')}`],
  ])('%s', (_, text) => {
    expect(find(text).keyIdRange).toMatchObject({ first: 32, end: 64 });
    expect(linesOf(text)[0]).not.toContain('node-17');
  });
});

test.each([
  ['virt/tdx: module initialized'],
  ['virt/tdx: TDX-Module initialized'],
  ['tdx: module initialized'],
])('%s: initialised, and not failed', (line) => {
  expect(find(line)).toMatchObject({ initialized: line });
  expect(find(line)).not.toHaveProperty('initializationFailed');
});

test.each([
  ['virt/tdx: module initialization failed (-28)'],
  ['virt/tdx: TDX-Module initialization failed (-5)'],
  ['tdx: initialization failed (-19)'],
])('%s: failed, and not initialised', (line) => {
  expect(find(line)).toMatchObject({ initializationFailed: line });
  expect(find(line)).not.toHaveProperty('initialized');
});

test.each([
  ['virt/tdx: Module version: 1.5.24', '1.5.24'],
  ['virt/tdx: TDX module version: 2.0.08', '2.0.08'],
  ['virt/tdx: TDX module: attributes 0x0, major_version 1, minor_version 5, build_num 784', '1.5'],
])('%s: release %s', (line, version) => {
  expect(find(line).moduleVersion).toEqual({ version, line });
});

test.each([
  ['virt/tdx: SEAMCALL (0x0000000000000022) failed: 0xc000050500000000', 0x22, 0xc000050500000000n],
  ['tdx: SEAMCALL failed: CPU 94: leaf 33, error 0xc000092100000122.', 33, 0xc000092100000122n],
  ['SEAMCALL TDH_MNG_INIT failed: 0xC000010000000044', undefined, 0xc000010000000044n],
])('%s', (line, leaf, status) => {
  expect(find(line).seamcallFailures).toEqual([{ leaf, status, line }]);
});

describe('what the table of messages says is what the checks find', () => {
  const rowsOf = (id: string) =>
    rows().filter(({ message }) => (message.answer?.id ?? message.name) === id);

  test.each(askedMessages)('%s', (id) => {
    const printed = rowsOf(id).map(({ wording }) => `[    1.824045] ${asKernel(wording.print())}`);
    expect(printed.length).toBeGreaterThan(0);
    for (const line of printed) {
      expect(linesOf(line), `${line} is not kept`).toHaveLength(1);
      const { seamcallFailures, leakedHkids, ...single } = find(line);
      expect([...Object.keys(single), ...leakedHkids], line).not.toEqual([]);
      expect(seamcallFailures).toEqual([]);
    }
  });

  /** With its prefix, which the wording leaves out where there are several. */
  function asKernel(text: string): string {
    return /tdx|seam|tme|kvm_intel|tsc:/i.test(text) ? text : `virt/tdx: ${text}`;
  }
});

test('every leaked HKID is found', () => {
  const log = 'tdx: HKID 77 is leaked\nkvm_intel: tdx: HKID 80 is leaked\n';
  expect(find(log).leakedHkids.map(({ hkid }) => hkid)).toEqual([77, 80]);
});

test('command lines and lines of no interest are not kept', () => {
  const log =
    'Command line: kvm_intel.tdx=1 password=hunter2\nusb 1-1: SerialNumber: tdx-4711\nvirt/tdx: module not loaded\n';
  expect(linesOf(log).join()).not.toContain('hunter2');
});

test('a ring buffer without the boot is read together with the copy of the boot', async () => {
  const directory = hostTree('healthy');
  mkdirSync(join(directory, 'var/log'), { recursive: true });
  renameSync(join(directory, 'dmesg.txt'), join(directory, 'var/log/dmesg'));
  writeFileSync(join(directory, 'dmesg.txt'), '[99.0] tdx: HKID 77 is leaked\n');
  const { log } = await readFacts(directory);
  rmSync(directory, { recursive: true });
  if (log.state !== 'read') throw new Error('the log was not read');
  expect(log.value.fromBoot).toBe(true);
  expect(findInLog(log.value.lines)).toMatchObject({
    keyIdRange: { first: 64, end: 128 },
    leakedHkids: [{ hkid: 77 }],
  });
});

test('a log of 50 MB is read, and what counts of it kept', () => {
  const noise = Array.from(
    { length: 1_200_000 },
    (_, n) => `virt/tdx: something, time ${n + 1e12}`,
  );
  const log = ['Linux version 7.3', ...noise, 'virt/tdx: HKID 9 is leaked'].join('\n');
  expect(log.length).toBeGreaterThan(45_000_000);
  const facts = logFacts(log);
  expect(facts?.fromBoot).toBe(true);
  expect(facts?.lines.length).toBeLessThanOrEqual(400);
  expect(findInLog(facts?.lines ?? []).leakedHkids).toHaveLength(1);
});

property.prop([fc.array(fc.string({ unit: 'binary' }))])(
  'any lines at all give findings, never an exception',
  (lines) => {
    expect(findInLog(linesOf(lines.join('\n'))).seamcallFailures).toBeInstanceOf(Array);
  },
);

property.prop([
  fc.constantFrom(
    'virt/tdx: SEAMCALL (0x0000000000000022) failed: 0xc000050500000000',
    'kvm_intel: Disable TDX: MAX_VCPU_PER_TD (576) smaller than number of logical CPUs (688).',
    'virt/tdx: BIOS enabled: private KeyID range [32, 64)',
  ),
  fc.nat(90),
])('a line cut anywhere is no crash', (line, length) => {
  expect(() => find(line.slice(0, length))).not.toThrow();
});
