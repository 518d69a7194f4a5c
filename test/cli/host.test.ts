/** `tdctl host` and its subcommands. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { layOut } from '../../src/cli/output/layout.ts';
import { slotText } from '../../src/cli/output/slots.ts';
import { captureOf } from '../../src/diagnosis/capture/index.ts';
import { readFacts } from '../../src/diagnosis/doctor/index.ts';
import { readSlotLedger } from '../../src/diagnosis/doctor/ledger.ts';
import { hostTree } from '../diagnosis/doctor/host-tree.ts';
import { cli } from '../support/cli.ts';
import { tdctl } from '../support/tdctl.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tdctl-host-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function captureFile(fixture: string): Promise<string> {
  const directory = hostTree(fixture);
  const path = join(folder, `${fixture}.json`);
  const capture = captureOf(await readFacts(directory), { tdctl: '0.0.0-test' });
  writeFileSync(path, JSON.stringify(capture));
  rmSync(directory, { recursive: true });
  return path;
}

describe('tdctl host', () => {
  test('still shows the host when no subcommand is given', async () => {
    const { exitCode, stdout } = await cli(['host', '--host', 'sim:one-slot']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^sim:one-slot/);
    expect(stdout).toMatch(/total +1\n +in use +0\n +free +1\n/);
  });

  test('a simulated host tells no holders', async () => {
    const { stdout } = await cli(['host', '--host', 'sim', '-o', 'json']);
    expect(JSON.parse(stdout).keySlots).toMatchObject({ used: 0, holders: null, leakEvidence: [] });
  });

  test('the ledger names who holds slots, and what looks leaked', async () => {
    const directory = hostTree('leaked-slot');
    const ledger = readSlotLedger(directory);
    rmSync(directory, { recursive: true });
    if (ledger === undefined) throw new Error('the fixture has slots');
    const { capacity: total, ...rest } = ledger;
    await expect(layOut(slotText({ total, cgroupRoom: null, ...rest }, false))).toMatchFileSnapshot(
      '../golden/doctor/ledger.txt',
    );
  });

  test('many holders are summed up, and their names are printed harmlessly', () => {
    const holders = Array.from({ length: 40 }, (_, index) => ({
      cgroup: `/evil\u001b[2J-${index}`,
      slots: 1,
      processes: null,
    }));
    const text = layOut(
      slotText({ total: 63, used: 40, free: 23, cgroupRoom: 4, holders, leakEvidence: [] }, false),
    );
    expect(text).toContain('28');
    expect(text).toContain('in 28 further cgroups');
    expect(text).not.toContain('\u001b');
  });
});

describe('tdctl host capture', () => {
  test('writes what doctor can judge, and never overwrites', async () => {
    const path = join(folder, 'mine.json');
    const first = await cli(['host', 'capture', path]);
    expect(first).toMatchObject({ exitCode: 0, stdout: '' });
    const text = readFileSync(path, 'utf8');
    expect(JSON.parse(text)).toMatchObject({ kind: 'tdctl.HostCapture', schemaVersion: 1 });

    const again = await cli(['host', 'capture', path]);
    expect(again.exitCode).toBe(4);
    expect(again.stderr).toContain('TDCTL_E_EXISTS');
    expect(readFileSync(path, 'utf8')).toBe(text);

    const live = JSON.parse((await cli(['doctor', '-o', 'json'])).stdout);
    const copied = JSON.parse((await cli(['doctor', '--root', path, '-o', 'json'])).stdout);
    expect(copied.firstCause).toBe(live.firstCause);
    expect(copied.counts).toEqual(live.counts);
  });

  test('- is stdout, and so is nothing', async () => {
    const dash = await cli(['host', 'capture', '-']);
    const none = await cli(['host', 'capture']);
    expect(JSON.parse(dash.stdout).kind).toBe('tdctl.HostCapture');
    expect(JSON.parse(none.stdout).kind).toBe('tdctl.HostCapture');
  });

  test('a directory that does not exist: exit 1', async () => {
    const { exitCode, stderr } = await cli(['host', 'capture', join(folder, 'no', 'such.json')]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('TDCTL_E_NOT_WRITABLE');
  });
});

describe('tdctl host diff', () => {
  test('two captures of one host: exit 0', async () => {
    const path = await captureFile('healthy');
    const { exitCode, stdout } = await cli(['host', 'diff', path, path]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('do not differ');
  });

  test('says what differs, what it means, and exits 6', async () => {
    const [a, b] = [await captureFile('healthy'), await captureFile('vendor-kernel-6.8')];
    const run = await cli(['host', 'diff', a, b]);
    expect(run.exitCode).toBe(6);
    const text = run.stdout.replaceAll(`${folder}/`, '');
    await expect(text).toMatchFileSnapshot('../golden/doctor/diff.txt');
    const colored = await cli(['host', 'diff', a, b], { colors: true });
    expect(stripVTControlCharacters(colored.stdout)).toBe(run.stdout);
  });

  test('-o json is the one of the subcommand', async () => {
    const [a, b] = [await captureFile('healthy'), await captureFile('kvm-intel-without-tdx')];
    const { exitCode, stdout } = await cli(['host', 'diff', a, b, '-o', 'json']);
    expect(exitCode).toBe(6);
    const { blocks, differences } = JSON.parse(stdout);
    expect(blocks).toBeGreaterThan(0);
    expect(differences[0]).toMatchObject({ field: 'tdx.offered', effect: 'blocks' });
  });

  test.each([
    ['a missing file', 'none.json', 3, 'TDCTL_E_NOT_FOUND'],
    ['a directory', '.', 1, 'this is a directory'],
  ])('%s: exit code and reason', async (_, name, code, reason) => {
    const a = await captureFile('healthy');
    const { exitCode, stderr } = await cli(['host', 'diff', a, join(folder, name)]);
    expect(exitCode).toBe(code);
    expect(stderr).toContain(reason);
  });
});

test('as a process: capture to a pipe, doctor from it', async () => {
  const { stdout, exitCode, stderr } = await tdctl(['host', 'capture']);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(JSON.parse(stdout).schemaVersion).toBe(1);
});

test.each([['host'], ['host', 'capture'], ['host', 'diff']])(
  'tdctl %s %s --help is there',
  async (...command) => {
    const { stdout, exitCode } = await cli([...command, '--help']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Usage: tdctl host');
  },
);
