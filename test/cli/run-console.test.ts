/** The console of `tdctl run`, where nothing has to run: what is refused, and how it is shown. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { TextSink } from '../../src/cli/io.ts';
import { guestText } from '../../src/cli/run/console/guest-text.ts';
import { Pump } from '../../src/cli/run/console/pump.ts';
import { gapInWords } from '../../src/guest/index.ts';
import { cli, terminal } from '../support/cli.ts';
import { projectRoot } from '../support/tdctl.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tdctl-run-console-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const at = (name: string) => join(scratch, name);
const sim = ['--host', 'sim'];
const hello = 'examples/hello.yaml';

let files = 0;
function specWith(console: unknown): string {
  files += 1;
  const path = at(`${files}.yaml`);
  const spec = {
    vcpus: 1,
    memory: '64MiB',
    firmware: join(projectRoot, 'examples/firmware/hello.fd'),
  };
  const metadata = { name: 'td' };
  const head = { apiVersion: 'tdctl.io/v1alpha1', kind: 'TrustDomain', metadata };
  writeFileSync(path, JSON.stringify({ ...head, spec: { ...spec, console } }));
  return path;
}

describe('is exit 2, before anything is built', () => {
  const cases: readonly (readonly [title: string, args: () => readonly string[], text: RegExp])[] =
    [
      [
        '--console where nothing is executed',
        () => [hello, ...sim, '--console'],
        /would change nothing: on a sim host/,
      ],
      [
        '--console-log where nothing is executed',
        () => [hello, ...sim, '--console-log', at('log')],
        /would change nothing/,
      ],
      [
        '--console with -o json',
        () => [hello, '--host', 'soft', '--console', '-o', 'json'],
        /the console takes standard output, where `-o json` prints events/,
      ],
      [
        'a file that asks for the terminal with -o yaml',
        () => [specWith('stdio'), '--host', 'soft', '-o', 'yaml'],
        /spec\.console: the console takes standard output/,
      ],
      [
        'two who type: --console, and a socket',
        () => [specWith({ socket: 'c.sock' }), '--host', 'soft', '--console'],
        /two that type at one serial port/,
      ],
      [
        'a log that is the console file as well',
        () => [specWith({ file: 'log' }), '--host', 'soft', '--console-log', at('log')],
        /written as well/,
      ],
      [
        'a console file that is the firmware',
        () => [specWith({ file: join(projectRoot, 'examples/firmware/hello.fd') }), ...sim],
        /would destroy it/,
      ],
      [
        '--console of a TD that does not run',
        () => [hello, ...sim, '--until', 'runnable', '--console'],
        /would change nothing/,
      ],
      [
        '--for of a TD that does not run',
        () => [hello, ...sim, '--until', 'runnable', '--for', '3s'],
        /cannot be used with|would change nothing/,
      ],
      ['--for without a unit', () => [hello, ...sim, '--for', '3'], /no time from 1ms/],
      ['--for nothing', () => [hello, ...sim, '--for', '0s'], /no time from 1ms/],
    ];
  test.each(cases)('%s', async (_, args, text) => {
    const { exitCode, stdout, stderr } = await cli(['run', ...args()]);
    expect({ exitCode, stdout: stdout.replaceAll(/^\{.*code.*$/gm, '') }).toEqual({
      exitCode: 2,
      stdout: '',
    });
    expect(stderr).toMatch(text);
    expect(existsSync(at('log'))).toBe(false);
  });
});

describe('on sim', () => {
  test('the TD runs, which is said to execute nothing, and is taken down when its time is up', async () => {
    const { exitCode, stdout, stderr } = await cli(['run', hello, ...sim, '--for', '1ms']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/● runnable[\s\S]*● running\n[\s\S]*destroyed: /);
    expect(stderr.match(/no instruction is executed on a sim host/g)).toHaveLength(1);
  });

  test('`--until running` ends once it runs, and the places of its console stay closed', async () => {
    for (const place of [{ file: 'console.log' }, { socket: 'console.sock' }, 'stdio']) {
      const { exitCode, stdout, stderr } = await cli([
        'run',
        specWith(place),
        ...sim,
        '--until',
        'running',
      ]);
      expect({ place, exitCode }).toEqual({ place, exitCode: 0 });
      expect(stdout + stderr).toContain('● running');
    }
    expect(existsSync(at('console.log'))).toBe(false);
    expect(existsSync(at('console.sock'))).toBe(false);
  });

  test('what ends the guest is an event and an error of its own', async () => {
    const fault = 'TDH.VP.ENTER#1=TDX_TD_FATAL';
    const { exitCode, stdout } = await cli(['run', hello, ...sim, '--fault', fault, '-o', 'json']);
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(exitCode).toBe(1);
    expect(events.filter(({ event }) => event === 'guest.ended')).toMatchObject([
      { reason: 'internal-error', vcpu: expect.any(Number) },
    ]);
    expect(events.find(({ event }) => event === 'td.ended').error).toMatchObject({
      code: 'TDCTL_E_GUEST',
    });
  });
});

describe('among the lines of a run', () => {
  const shown = (text: string, width?: number) => {
    const { io, written } = terminal({ width });
    const guest = guestText({
      io,
      marks: { line: '  │ ', goesOn: '  ┆ ' },
      of: "guest's console",
      beforeWriting: () => undefined,
    });
    guest.add(Buffer.from(text), 0);
    guest.flush();
    return written.stdout;
  };

  test('each row is marked as the guest’s, wherever the terminal breaks it', () => {
    expect(shown('error: not tdctl\n')).toBe('  │ error: not tdctl\n');
    expect(shown(`${' '.repeat(16)}error: not tdctl\n`, 20)).toBe(
      `  │ ${' '.repeat(16)}\n  ┆ error: not tdctl\n`,
    );
    for (const row of shown(`${'界'.repeat(50)}\t${'x'.repeat(50)}\n`, 30)
      .trimEnd()
      .split('\n')) {
      expect(row).toMatch(/^ {2}[│┆] /);
    }
  });

  test('no sequence of the guest’s reaches the terminal', () => {
    expect(shown('a\u001b[2Jb\u009b1mc\u202ed\r\n')).toBe('  │ a\\u{1b}[2Jb\\u{9b}1mc\\u{202e}d\n');
  });

  test('what is missing is told where it is', () => {
    const { io, written } = terminal();
    const marks = { line: '│ ', goesOn: '┆ ' };
    const guest = guestText({ io, marks, of: "guest's console", beforeWriting: () => undefined });
    guest.add(Buffer.from('one\ntw'), 5);
    guest.add(Buffer.from('three\n'), 0);
    expect(written.stdout).toBe(
      "│ one\n│ tw\n  ! 5 bytes of the guest's console are missing here: they came faster than they were read\n┆ three\n",
    );
  });
});

test('a reader that stands still costs bounded memory, and nothing is missing that is not told', async () => {
  let isBehind = true;
  let settle = () => {};
  const sink: TextSink = {
    write: () => undefined,
    get isBehind() {
      return isBehind;
    },
    settled: () =>
      new Promise((resolve) => {
        settle = resolve;
      }),
  };
  let [held, lost] = [0, 0];
  const pump = new Pump(sink, ({ bytes, lostBytes }) => {
    held += bytes.length;
    lost += lostBytes;
  });
  const block = new Uint8Array(100_000);
  for (let at = 0; at < 100; at += 1) pump.push(block, 1);
  expect({ held, lost }).toEqual({ held: 0, lost: 0 });
  isBehind = false;
  settle();
  await new Promise((next) => setImmediate(next));
  expect(held).toBeGreaterThan(0);
  expect(held).toBeLessThanOrEqual(1024 * 1024);
  expect(held + lost).toBe(100 * (block.length + 1));
  expect(gapInWords(lost)).toContain(String(lost));
});
