/** From a file to a program that has its files open: what a keeper does, without the keeper. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseTrustDomain } from '../../src/spec/index.ts';
import { commandOf, openFiles } from '../../src/vmm/command-line/index.ts';
import { chooseCid, planVmm } from '../../src/vmm/index.ts';
import { noQemu, qemu } from '../exec/qemu/qemu.ts';
import { specText } from '../spec/valid-spec.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tdctl-vmm-'));
  writeFileSync(join(directory, 'OVMF.fd'), 'firmware');
  writeFileSync(join(directory, 'data.raw'), Buffer.alloc(4096));
});
afterAll(() => rmSync(directory, { recursive: true }));

const uuid = '11111111-2222-4333-8444-555555555555';

function specOf(fields: Record<string, string>) {
  return parseTrustDomain(specText({ engine: 'qemu', ...fields }), {
    path: join(directory, 'td.yaml'),
  });
}

const placesIn = (home: string) => ({
  monitor: join(home, 'm'),
  console: join(home, 'c'),
  consoleLog: join(home, 'console.log'),
  directory: home,
});

describe('the plan of a TD that QEMU runs', () => {
  test('is what a program is started with, each file under its number', async (context) => {
    if (qemu === undefined) return context.skip(noQemu);
    const spec = specOf({ disks: '[{ path: data.raw }]', qemu: `{ binary: ${qemu.program} }` });
    const plan = await planVmm(spec, { env: process.env, uuid });
    const { args, files } = commandOf(plan, placesIn(directory));
    expect(args).toContain(uuid);
    const opened = openFiles(files);
    // A shell stands in for QEMU: it reads one file and writes another by the numbers of the command.
    const [firmware, log] = files;
    const child = spawn('sh', ['-c', `cat <&${firmware?.fd} >&${log?.fd}`], {
      stdio: ['ignore', 'ignore', 'inherit', ...opened.fds],
    });
    opened.close();
    await new Promise((resolve) => child.once('close', resolve));
    expect(readFileSync(join(directory, 'console.log'), 'utf8')).toBe('firmware');
    return undefined;
  });

  test('is refused by the first thing that is missing, and then no file stays open', async (context) => {
    if (qemu === undefined) return context.skip(noQemu);
    const binary = { qemu: `{ binary: ${qemu.program} }` };
    const missing = specOf({ disks: '[{ path: absent.raw }]', ...binary });
    await expect(planVmm(missing, { env: process.env, uuid })).rejects.toMatchObject({
      code: 'TDCTL_E_DEVICE',
    });
    const file = (path: string) => ({
      fd: 3,
      path: join(directory, path),
      access: 'read' as const,
    });
    const open = () => readdirSync('/proc/self/fd').length;
    const before = open();
    expect(() => openFiles([file('OVMF.fd'), file('gone')])).toThrow(
      expect.objectContaining({ code: 'TDCTL_E_DEVICE', place: join(directory, 'gone') }),
    );
    expect(open()).toBe(before);
    return undefined;
  });
});

describe('a context ID that is chosen', () => {
  test('is the same for the same name, and another where that is taken', () => {
    const cid = chooseCid('web-1', new Set());
    expect(chooseCid('web-1', new Set())).toBe(cid);
    expect(chooseCid('web-1', new Set([cid]))).toBe(cid + 1);
    expect(chooseCid('web-2', new Set())).not.toBe(cid);
  });

  test('is one that a guest may have, and begins again after the last', () => {
    const taken = new Set<number>();
    for (let step = 0; step < 1000; step++) taken.add(chooseCid('a', taken));
    expect(taken.size).toBe(1000);
    for (const cid of taken) expect(cid).toBeGreaterThanOrEqual(0x1_0000);
    for (const cid of taken) expect(cid).toBeLessThan(0x8000_0000);
  });
});
