/** The client that none of us wrote: stock QEMU, unmodified, from its start to its end. */
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import type { ExecSummary } from '../../../src/exec/index.ts';
import { parseTrace } from '../../../src/trace/parse.ts';
import { tdctl } from '../../support/tdctl.ts';
import { noQemu, type Qemu, qemu, tdCommand } from './qemu.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tdctl-qemu-'));
  // An ordinary user writes here too.
  chmodSync(directory, 0o777);
});
afterAll(() => rmSync(directory, { recursive: true }));

function requireQemu(context: TestContext): Qemu {
  if (qemu === undefined) context.skip(noQemu);
  return qemu as Qemu;
}

const nobody = 65534;
const isRoot = process.getuid?.() === 0;

interface Run {
  readonly options?: readonly string[];
  readonly command?: readonly string[];
  readonly uid?: number;
}

let runs = 0;

async function run(machine: Qemu, { options = [], command, uid }: Run = {}) {
  runs += 1;
  const summaryFile = join(directory, `summary-${runs}.json`);
  const args = ['exec', '--summary', summaryFile, ...options, '--'];
  const ended = await tdctl([...args, ...(command ?? tdCommand(machine))], {
    env: { HOME: directory },
    ...(uid === undefined ? {} : { uid }),
  });
  const summary = JSON.parse(readFileSync(summaryFile, 'utf8')) as ExecSummary;
  return { ...ended, summary };
}

async function measured(firmware: string): Promise<string> {
  const { stdout } = await tdctl(['measure', firmware, '-o', 'json']);
  return JSON.parse(stdout).mrtd;
}

const cpuidWarnings = (stderr: string) =>
  stderr.split('\n').filter((line) => /warning: .* CPUID\[/.test(line));

const wholeLife = {
  exit: { how: 'code', status: 0 },
  vms: [{ type: 'td', vcpus: { created: 4, initialized: 4 } }],
  keySlots: { peak: 1, used: 0 },
  unknownIoctls: [],
  stillOpen: [],
  leakedKeySlots: 0,
};

describe('stock QEMU', () => {
  test('goes from CREATE_VM to FINALIZE_VM and a clean exit, with the MRTD that tdctl measures', async (context) => {
    const machine = requireQemu(context);
    const { summary, exitCode, stderr } = await run(machine);
    expect(stderr).not.toContain('failed');
    expect(exitCode).toBe(0);
    expect(summary).toMatchObject(wholeLife);
    expect(summary.vms[0]?.mrtd).toBe(await measured(machine.firmware));
    // Nothing that is not a part of every VMM's way.
    expect(summary.refusals.filter(({ routine }) => !routine)).toEqual([]);
  });

  test('finds every CPUID bit as it would on a TDX host, if it takes the CPU for one of Intel', async (context) => {
    const machine = requireQemu(context);
    const { stderr } = await run(machine, {
      command: tdCommand(machine, 'host,vendor=GenuineIntel'),
    });
    expect(cpuidWarnings(stderr)).toEqual([]);
  });

  test('has something to say of those bits alone that follow from the vendor of the CPU it runs on', async (context) => {
    const machine = requireQemu(context);
    const { stderr } = await run(machine);
    // QEMU itself asks the instruction for the vendor. On AMD, leaf 0x80000001 repeats bits of leaf 1.
    const ofVendor =
      /CPUID\[eax=80000001h\]\.(EDX|ECX\.cmp-legacy) |CPUID\[eax=07h,ecx=00h\]\.EDX\.arch-capabilities /;
    expect(cpuidWarnings(stderr).filter((line) => !ofVendor.test(line))).toEqual([]);
  });

  test('does the same as an ordinary user', async (context) => {
    const machine = requireQemu(context);
    if (!isRoot) context.skip('the test before ran as an ordinary user already');
    const { summary, exitCode } = await run(machine, { uid: nobody });
    expect(exitCode).toBe(0);
    expect(summary).toMatchObject(wholeLife);
  });

  test('does the same where there is no /dev/kvm', async (context) => {
    const machine = requireQemu(context);
    if (!isRoot) context.skip('only root can take /dev/kvm away for one process');
    const devices = ['null', 'zero', 'full', 'random', 'urandom', 'ptmx'];
    const script = [
      'set -e',
      'mkdir "$1"',
      ...devices.map((name) => `cp -a /dev/${name} "$1"/`),
      'ln -s /proc/self/fd "$1"/fd',
      'mount --bind "$1" /dev',
      'test ! -e /dev/kvm',
      'shift',
      'exec "$@"',
    ].join('\n');
    const inside = ['sh', '-c', script, 'sh', join(directory, 'dev'), ...tdCommand(machine)];
    const { summary, exitCode, stderr } = await run(machine, {
      command: ['unshare', '--mount', ...inside],
    });
    expect(stderr).not.toContain('/dev/kvm');
    expect(exitCode).toBe(0);
    expect(summary).toMatchObject(wholeLife);
  });

  test('is refused by series-v9 where that kernel reads another struct, and the summary says so', async (context) => {
    const { summary, exitCode, stderr } = await run(requireQemu(context), {
      options: ['--kernel', 'series-v9'],
    });
    expect(stderr).toContain('KVM_TDX_INIT_VM failed');
    expect(exitCode).toBe(1);
    const refused = summary.refusals.filter(({ routine }) => !routine);
    expect(refused).toMatchObject([
      {
        request: 'KVM_TDX_INIT_VM',
        errno: 'EINVAL',
        meaning: expect.stringMatching(
          /^a reserved field .* is not 0; this kernel has max_vcpus in that struct, where the VMM gives \d+$/,
        ),
      },
    ]);
    expect(summary).toMatchObject({ keySlots: { peak: 0, used: 0 }, stillOpen: [] });
  });

  test.for([
    ['KVM_TDX_INIT_VM#1=EAGAIN', 'survives'],
    ['KVM_TDX_INIT_MEM_REGION#1=signal@100', 'survives'],
    ['KVM_TDX_INIT_VM#1=ENOSPC', 'fails'],
    ['KVM_TDX_FINALIZE_VM#1=EBUSY', 'fails'],
    ['TDH.MNG.KEY.CONFIG#1=TDX_KEY_GENERATION_FAILED', 'fails'],
  ] as const)('%s %s, and nothing is lost', async ([fault, outcome], context) => {
    const { summary, exitCode, stderr } = await run(requireQemu(context), {
      options: ['--fault', fault],
    });
    expect(stderr).not.toContain('the run never came to');
    expect(exitCode === 0 ? 'survives' : 'fails').toBe(outcome);
    expect(summary).toMatchObject({ keySlots: { used: 0 }, stillOpen: [], leakedKeySlots: 0 });
  });

  test('asks in the same order each time', async (context) => {
    const machine = requireQemu(context);
    const requests = async (name: string) => {
      const file = join(directory, name);
      await run(machine, { options: ['--trace', file] });
      // What the main thread and the boot vCPU's ask until the machine runs; the others are free.
      const lines = [...parseTrace(readFileSync(file, 'utf8').split('\n'))];
      const records = lines.flatMap((line) => ('record' in line ? [line.record] : []));
      const calls = records.filter((record) => record.kind === 'call');
      const finalize = calls.findIndex(({ request }) => request === 'KVM_TDX_FINALIZE_VM');
      return calls
        .slice(0, finalize + 1)
        .filter(({ thread }) => thread === 'T0' || thread === 'T1')
        .map(({ object, request }) => `${object}.${request}`);
    };
    const [first, second] = [await requests('first.jsonl'), await requests('second.jsonl')];
    expect(first.at(-1)).toBe('vm#1.KVM_TDX_FINALIZE_VM');
    expect(second).toEqual(first);
  });

  test('leaves a trace in which the linter finds no mistake', async (context) => {
    const file = join(directory, 'lint.trace');
    await run(requireQemu(context), { options: ['--trace', file] });
    const { stdout, exitCode } = await tdctl(['trace', 'lint', file]);
    expect(stdout).toContain('0 errors');
    expect(exitCode).toBe(0);
  });

  test('meets the expectations of a script for what guests ask', async (context) => {
    const script = 'examples/exec/first-breath.yaml';
    const { summary, exitCode } = await run(requireQemu(context), { options: ['--run', script] });
    expect(summary).toMatchObject({ expectations: { unreached: [] } });
    expect(exitCode).toBe(0);
  });
});
