/**
 * A TD of tdctl's own kvm host that runs: the addon's threads are in the simulated kernel's KVM_RUN, a script says
 * what the guest does there, and its expectations and the trace say what tdctl has answered.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, type TestContext, test } from 'vitest';
import { builtMain, projectRoot } from '../support/built.ts';
import { type Running, startTdctl } from '../support/tdctl.ts';
import { type Executed, execute, requireSupervision, scratch } from './programs.ts';

const main = [process.execPath, builtMain()];
let files = 0;

function file(name: string, content: string): string {
  files += 1;
  const path = join(scratch, `${files}-${name}`);
  writeFileSync(path, content);
  return path;
}

/** examples/hello.yaml with one vCPU, and more fields of `spec`. */
function specFile(more = ''): string {
  const text = readFileSync(join(projectRoot, 'examples/hello.yaml'), 'utf8')
    .replace('vcpus: 4', 'vcpus: 1')
    .replace('firmware: ', `firmware: ${projectRoot}/examples/`);
  return file('small.yaml', `${text.trimEnd()}\n${more}`);
}

/** One step a line, in the notation of YAML. */
function scriptFile(...steps: readonly string[]): string {
  const head = 'apiVersion: tdctl.io/v1alpha1\nkind: RunScript\nmetadata: {name: guest}\n';
  const lines = steps.map((step) => `        - ${step}\n`).join('');
  return file('script.yaml', `${head}spec:\n  vcpus:\n    - ids: [0]\n      steps:\n${lines}`);
}

interface Played extends Executed {
  readonly trace: string;
  /** The lines of the trace that match. */
  traced(pattern: RegExp): readonly string[];
}

async function play(
  context: TestContext,
  steps: readonly string[],
  { spec = '', args = [] }: { readonly spec?: string; readonly args?: readonly string[] } = {},
): Promise<Played> {
  requireSupervision(context);
  const tracePath = file('trace.txt', '');
  const command = [...main, 'run', specFile(spec), '--host', 'kvm', '-o', 'json'];
  const executed = await execute(command, {
    args: ['--run', scriptFile(...steps), '--trace', tracePath, ...args],
  });
  const trace = readFileSync(tracePath, 'utf8');
  return {
    ...executed,
    trace,
    traced: (pattern) => trace.split('\n').filter((line) => pattern.test(line)),
  };
}

interface Event {
  readonly event: string;
  readonly [field: string]: unknown;
}

function events({ stdout }: Executed): readonly Event[] {
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Event);
}

function expectNothingLeft({ summary }: Executed): void {
  expect(summary).toMatchObject({ stillOpen: [], leakedKeySlots: 0, keySlots: { used: 0 } });
}

const powerOff = 'out: {port: 0x604, sizeBytes: 2, data: 0x2000}';
/** Nothing that a guest asks for in good order is refused, but for what a memory fault is. */
const refusedOf = ({ summary }: Executed) =>
  summary.refusals.filter(({ routine }) => !routine).map(({ request }) => request);

describe('a TD of the kvm host', () => {
  test('converts its memory by MapGPA: KVM is told, and what is left behind is given back', async (context) => {
    const played = await play(context, [
      'mapGpa: {gpa: 0x1000000, size: 4MiB, to: shared, expect: success}',
      'mapGpa: {gpa: 0x1000000, size: 4KiB, to: private, expect: success}',
      powerOff,
    ]);
    expect(played.exitCode).toBe(0);
    const calls = played
      .traced(/SET_MEMORY_ATTRIBUTES\(address=0x1|fallocate/)
      .map((line) => line.replace(/^T\d+ {2}\w+#\d+\./, '').replace(/, flags=0x0/, ''));
    expect(calls).toEqual([
      'KVM_SET_MEMORY_ATTRIBUTES(address=0x1000000, size=0x200000, attributes=0x0) = 0',
      'fallocate(mode=3, offset=0x1000000, length=0x200000) = 0',
      'KVM_SET_MEMORY_ATTRIBUTES(address=0x1200000, size=0x200000, attributes=0x0) = 0',
      'fallocate(mode=3, offset=0x1200000, length=0x200000) = 0',
      'KVM_SET_MEMORY_ATTRIBUTES(address=0x1000000, size=0x1000, attributes=0x8) = 0',
    ]);
    expect(refusedOf(played)).toEqual([]);
  });

  test('may share what is no memory, as firmware does of devices, and cannot make it private', async (context) => {
    const played = await play(context, [
      'mapGpa: {gpa: 0xfec00000, size: 4KiB, to: shared, expect: success}',
      'mapGpa: {gpa: 0xfec00000, size: 4KiB, to: private, expect: invalidOperand}',
      // The last page of memory, and the first that is none.
      'mapGpa: {gpa: 0x7fff000, size: 8KiB, to: shared, expect: success}',
      'mapGpa: {gpa: 0x7fff000, size: 8KiB, to: private, expect: invalidOperand}',
      // What it touches as what it is not is converted too.
      'memoryFault: {gpa: 0x7fff000, size: 4KiB, access: private}',
      'memoryFault: {gpa: 0x7fff000, size: 4KiB, access: shared}',
      powerOff,
    ]);
    expect(played.exitCode).toBe(0);
    expect(played.traced(/SET_MEMORY_ATTRIBUTES\(address=0x7fff000/)).toHaveLength(3);
  });

  test('is told to try again where the kernel has no room for a conversion, and goes on', async (context) => {
    const played = await play(
      context,
      ['mapGpa: {gpa: 0x1000000, size: 4KiB, to: shared, expect: retry}', powerOff],
      { args: ['--fault', 'KVM_SET_MEMORY_ATTRIBUTES#3=ENOMEM'] },
    );
    expect(played.exitCode).toBe(0);
    const warnings = events(played).filter(({ event }) => event === 'td.warning');
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.message).toContain(
      'MapGPA of 0x1000000 to 0x1000fff to shared was not done',
    );
    expectNothingLeft(played);
  });

  test.for([
    [
      'that touches memory in no slot',
      ['memoryFault: {gpa: 0x10000000, size: 4KiB, access: private}'],
      "vCPU 0 touched 0x10000000 to 0x10000fff as private memory, which is not all in the TD's memory slots",
    ],
    [
      'that meets the same fault again and again',
      ['repeat: {times: 100, steps: [{memoryFault: {gpa: 0x200000, size: 4KiB}}]}'],
      'as private memory 9 times in a row, and converting it changes nothing',
    ],
    [
      'whose page has a hardware error',
      ['memoryFault: {gpa: 0x200000, size: 4KiB, errno: EHWPOISON}'],
      'vCPU 0 wants the 4096 bytes at 0x200000 as private memory, and they cannot be given to it',
    ],
    ['that KVM gives up', ['touchUnacceptedMemory: true'], 'KVM_RUN'],
  ] as const)('%s ends, in words, and is given back', async ([, steps, words], context) => {
    const played = await play(context, steps);
    expect(played.exitCode).toBe(1);
    expect(played.stdout).toContain(words);
    expect(events(played).at(-1)).toMatchObject({ event: 'run.ended', outcome: 'failed' });
    expectNothingLeft(played);
  });

  test('that panics is heard: its own words come before its end', async (context) => {
    const played = await play(context, [
      'reportFatalError: {code: 0, message: "no memory \\e[31m"}',
    ]);
    expect(played.exitCode).toBe(1);
    const told = events(played).filter(({ event }) => event.startsWith('guest.'));
    expect(told).toMatchObject([
      { event: 'guest.panicked', text: 'no memory \\u{1b}[31m', errorCode: '0x0' },
      { event: 'guest.ended', reason: 'system-event' },
    ]);
    expectNothingLeft(played);
  });

  test('runs until it powers off, and learns meanwhile which calls there are', async (context) => {
    const played = await play(context, [
      'out: {port: 0x3f8, sizeBytes: 1, data: 0x68}',
      'getTdVmCallInfo: {leaf: 1, expect: {status: success, r11: 2, r12: 0}}',
      'setupEventNotifyInterrupt: {vector: 0x50, expect: success}',
      'setupEventNotifyInterrupt: {vector: 31, expect: invalidOperand}',
      // Of a buffer that nobody has filled in, no version is known.
      'getQuote: {gpa: 0x1000000, size: 16KiB, expect: invalidOperand}',
      'getQuote: {gpa: 0x1000800, size: 16KiB, expect: alignError}',
      'getQuote: {gpa: 0xfee00000, size: 16KiB, expect: invalidOperand}',
      powerOff,
    ]);
    expect(played.exitCode).toBe(0);
    expect(events(played).map(({ event }) => event)).toContain('guest.ended');
    expectNothingLeft(played);
    expect(refusedOf(played)).toEqual([]);
  });
});

/** Starts one that goes on until it is told otherwise; resolves when its guest runs. */
async function holding(context: TestContext, tracePath: string, more: readonly string[] = []) {
  requireSupervision(context);
  const running = startTdctl(
    [
      ...['exec', '--trace', tracePath, '--run', scriptFile('hold: true'), ...more, '--'],
      ...[...main, 'run', specFile(), '--host', 'kvm', '-o', 'json'],
    ],
    { ownGroup: true },
  );
  await running.waitForStdout('"state":"running"');
  return running;
}

function timesEntered({ output }: Running, state: string): number {
  const entered = output.stdout.split('\n').filter((line) => line.includes('"state.entered"'));
  return entered.filter((line) => line.includes(`"state":"${state}"`)).length;
}

/** The tdctl that is supervised, by its parent. */
function supervised({ child }: Running): number {
  const command = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .find((pid) => argumentsOf(pid).includes('run') && descendsFrom(Number(pid), child.pid ?? 0));
  if (command === undefined) throw new Error('no tdctl runs under tdctl exec');
  return Number(command);
}

function argumentsOf(pid: string): readonly string[] {
  const path = `/proc/${pid}/cmdline`;
  try {
    const words = readFileSync(path, 'utf8').split('\0');
    return words.includes('exec') ? [] : words;
  } catch {
    return [];
  }
}

function descendsFrom(pid: number, ancestor: number): boolean {
  const path = `/proc/${pid}/status`;
  if (pid <= 1 || !existsSync(path)) return false;
  const parent = Number(/^PPid:\s*(\d+)$/m.exec(readFileSync(path, 'utf8'))?.[1] ?? 0);
  return parent === ancestor || descendsFrom(parent, ancestor);
}

describe('a TD of the kvm host that runs on', () => {
  test('is paused and goes on by a signal, and is taken down by another', async (context) => {
    const running = await holding(context, file('trace.txt', ''));
    const pid = supervised(running);
    process.kill(pid, 'SIGUSR2');
    await running.waitForStdout('"state":"paused"');
    process.kill(pid, 'SIGUSR2');
    while (timesEntered(running, 'running') < 2) await delay(10);
    process.kill(pid, 'SIGTERM');
    const { exitCode, stdout, stderr } = await running.ended;
    expect(exitCode).toBe(0);
    expect(stdout.match(/"event":"step.ended"/g)?.length).toBeGreaterThan(10);
    expect(stderr).toContain('released    everything');
  });

  test('leaves nothing where its process is killed', async (context) => {
    const running = await holding(context, file('trace.txt', ''));
    process.kill(supervised(running), 'SIGKILL');
    const { exitCode, stderr } = await running.ended;
    expect(exitCode).toBe(128 + 9);
    expect(stderr).toMatch(/key slots +1 of \d+ at the peak, 0 now/);
    expect(stderr).toContain('released    everything');
  });

  test('ends with the one who supervises it', async (context) => {
    const running = await holding(context, file('trace.txt', ''));
    const pid = supervised(running);
    running.child.kill('SIGKILL');
    await running.ended;
    while (existsSync(`/proc/${pid}`)) await delay(10);
  });
});

/** Firmware whose image begins with the head of a quote's buffer: no guest code runs that could write one. */
function firmwareWithReport(report: Uint8Array): string {
  const image = readFileSync(join(projectRoot, 'examples/firmware/hello.fd'));
  image.writeBigUInt64LE(1n, 0);
  image.writeBigUInt64LE(0n, 8);
  image.writeUInt32LE(report.length, 16);
  image.writeUInt32LE(0, 20);
  image.set(report, 24);
  const path = file('report.fd', '');
  writeFileSync(path, image);
  return path;
}

/** A service that answers each request with a quote of so many bytes; it gives what it was asked. */
async function quoteService(
  context: TestContext,
  path: string,
): Promise<{ readonly asked: Buffer[] }> {
  const asked: Buffer[] = [];
  const server = createServer((socket) => {
    let received = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes]);
      if (received.length < 4 || received.length < 4 + received.readUInt32BE(0)) return;
      asked.push(received);
      const quote = Buffer.alloc(5000, 'quote');
      const answer = Buffer.alloc(4 + 24);
      answer.writeUInt32BE(24 + quote.length, 0);
      answer.writeUInt16LE(1, 4);
      answer.writeUInt16LE(1, 6);
      answer.writeUInt32LE(1, 8);
      answer.writeUInt32LE(24 + quote.length, 12);
      answer.writeUInt32LE(quote.length, 24);
      socket.end(Buffer.concat([answer, quote]));
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  context.onTestFinished(() => void server.close());
  return { asked };
}

test('a TD of the kvm host gets its quote from the service of the host, and is told by its interrupt', async (context) => {
  requireSupervision(context);
  const socket = join(scratch, 'qgs.socket');
  const report = Buffer.alloc(1024, 'report');
  const { asked } = await quoteService(context, socket);
  const spec = readFileSync(specFile(`  quotes: { socket: 'unix:${socket}' }\n`), 'utf8').replace(
    /firmware: .*/,
    `firmware: ${firmwareWithReport(report)}`,
  );
  const trace = file('trace.txt', '');
  const script = scriptFile(
    'setupEventNotifyInterrupt: {vector: 0x50, expect: success}',
    'getQuote: {gpa: 0xffff0000, size: 16KiB, expect: success}',
    'hold: true',
  );
  const running = startTdctl([
    ...['exec', '--trace', trace, '--run', script, '--'],
    ...[...main, 'run', file('quotes.yaml', spec), '--host', 'kvm', '-o', 'json'],
  ]);
  while (!readFileSync(trace, 'utf8').includes('KVM_SIGNAL_MSI')) await delay(20);
  running.child.kill('SIGTERM');
  const { stdout } = await running.ended;
  expect(stdout).not.toContain('no quote for the guest');
  expect(readFileSync(trace, 'utf8')).toMatch(/KVM_SIGNAL_MSI\(address_lo=4276092928, .*data=80/);
  expect(asked).toHaveLength(1);
  expect(asked[0]?.subarray(4 + 24)).toEqual(report);
});
