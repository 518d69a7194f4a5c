/** What is read may never end, may never begin, and may be nothing but damage. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  createWriteStream,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { projectRoot, type Running, startTdctl, tdctl } from '../support/tdctl.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tdctl-inputs-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const fifo = join(scratch, 'fifo');
execFileSync('mkfifo', [fifo]);
const hello = 'examples/hello.yaml';

/** The FIFO is open when the process waits for it. */
async function waitsForFifo({ child }: Running): Promise<void> {
  const holdsFifo = () => {
    try {
      const fds = `/proc/${child.pid}/fd`;
      return readdirSync(fds).some((fd) => readlinkSync(join(fds, fd)) === fifo);
    } catch {
      return false;
    }
  };
  while (!holdsFifo()) await new Promise((resolve) => setTimeout(resolve, 20));
}

const readers: readonly (readonly [string, (path: string) => readonly string[]])[] = [
  ['the spec of run', (path) => ['run', path, '--host', 'sim']],
  ['a saved plan', (path) => ['run', '--plan', path]],
  ['a simulated host', (path) => ['run', hello, '--host', `sim:${path}`]],
  ['the spec of plan', (path) => ['plan', path, '--host', 'sim']],
  ['a rehearsal', (path) => ['rehearse', path]],
  ['a fleet', (path) => ['footprint', '--fleet', path]],
  ['recorded runs', (path) => ['graph', 'td-lifecycle', '--coverage', path]],
  ['a trace', (path) => ['trace', 'lint', path]],
  ['a copy of a host', (path) => ['doctor', '--root', path]],
  ['captures', (path) => ['host', 'diff', path, path]],
];

describe.each(readers)('%s', (_, args) => {
  test('that never ends is refused, and never held', async () => {
    const { exitCode, stderr } = await tdctl(args('/dev/zero'), {
      env: { NODE_OPTIONS: '--max-old-space-size=256' },
    });
    expect([1, 5]).toContain(exitCode);
    expect(stderr).toMatch(/TDCTL_E_(SPEC_INVALID|NOT_READABLE)/);
  });
});

describe.each([
  ['run', 'SIGINT', ['run', fifo, '--host', 'sim']],
  ['run --plan', 'SIGTERM', ['run', '--plan', fifo]],
  ['rehearse', 'SIGINT', ['rehearse', fifo]],
  ['watch', 'SIGTERM', ['watch', fifo]],
  ['plan', 'SIGINT', ['plan', fifo, '--host', 'sim']],
  ['fit', 'SIGHUP', ['fit', fifo, '--hosts', 'sim:spr-1.5']],
  ['footprint', 'SIGINT', ['footprint', '--fleet', fifo]],
  ['graph', 'SIGINT', ['graph', 'td-lifecycle', '--coverage', fifo]],
  ['trace lint', 'SIGTERM', ['trace', 'lint', fifo]],
  ['doctor', 'SIGINT', ['doctor', '--root', fifo]],
  ['host diff', 'SIGINT', ['host', 'diff', fifo, fifo]],
  ['exec, before the command begins,', 'SIGTERM', ['exec', '--run', fifo, '--', '/bin/true']],
] as const)('%s of a FIFO that nobody writes to', (_, signal, args) => {
  test(`ends with ${signal}, and says so`, async () => {
    const running = startTdctl(args);
    await waitsForFifo(running);
    running.child.kill(signal);
    const { exitCode, stderr } = await running.ended;
    expect({ exitCode, stderr }).toEqual({
      exitCode: 130,
      stderr: expect.stringMatching(`interrupted \\(${signal}\\).*TDCTL_E_INTERRUPTED`),
    });
  });
});

test('explain waits for a log, and an interrupt ends that', async () => {
  const running = startTdctl(['explain', '-o', 'json'], { stdin: 'open' });
  // The pipe is empty again when explain reads.
  running.child.stdin.write('a line of no meaning\n'.repeat(10_000));
  await new Promise<void>((resolve) =>
    running.child.stdin.write('and one more\n', () => resolve()),
  );
  running.child.kill('SIGINT');
  const { exitCode, stderr } = await running.ended;
  expect({ exitCode, stderr }).toEqual({
    exitCode: 130,
    stderr: expect.stringMatching('interrupted \\(SIGINT\\)'),
  });
});

test('what is read from a FIFO is read once: a rehearsal takes its TD from it', async () => {
  const running = startTdctl(['rehearse', fifo, '--hops', '0', '--host', 'sim']);
  await waitsForFifo(running);
  const text = readFileSync(join(projectRoot, hello), 'utf8');
  const writer = createWriteStream(fifo);
  writer.end(text.replace('firmware/hello.fd', join(projectRoot, 'examples/firmware/hello.fd')));
  await once(writer, 'close');
  expect(await running.ended).toMatchObject({
    exitCode: 0,
    stderr: expect.not.stringMatching('error'),
  });
});

test('a trace of any length is judged in the same memory', async () => {
  const trace = join(scratch, 'long.trace');
  await tdctl(['run', hello, '--host', 'sim', '--until', 'runnable', '--trace', trace]);
  const lines = readFileSync(trace, 'utf8')
    .split('\n')
    .filter((line) => !line.startsWith('  cpu'));
  const built = lines.findIndex((line) => line.includes('KVM_TDX_FINALIZE_VM')) + 1;
  const question = 'T0  vm#1.KVM_CHECK_EXTENSION(cap=KVM_CAP_MAX_VCPUS) = 224 <200ns>\n';
  const many = 200_000;
  writeFileSync(
    trace,
    [...lines.slice(0, built), question.repeat(many), ...lines.slice(built)].join('\n'),
  );
  const { stdout, exitCode } = await tdctl(['trace', 'lint', trace, '-o', 'json'], {
    env: { NODE_OPTIONS: '--max-old-space-size=64' },
  });
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout).calls).toBeGreaterThan(many);
});
