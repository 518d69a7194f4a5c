/** Ordinary VMs of QEMU: each comes to its first KVM_RUN under exec, as it does natively. */
import { test } from 'vitest';
import { requireSupervision } from '../../exec/programs.ts';
import { type Case, judge } from '../agreement.ts';
import {
  isFull,
  natively,
  suiteTimeoutMs,
  twoAtATime,
  underExec,
  whyNotFetched,
  whyNotNatively,
} from '../run.ts';
import { type Emulator, inThisForm, isHere, programOf } from './machines.ts';
import { wronglyPrinted } from './printed.ts';

const machines = ['q35', 'pc', 'microvm'] as const;
/** And the newest of a server that each QEMU knows, which starts natively on few machines. */
const cpus = ['host', 'max', 'qemu64', 'kvm64', 'Nehalem'];

interface Vm {
  readonly emulator: Emulator;
  readonly machine: (typeof machines)[number];
  readonly cpu: string;
}

/** Each machine and each of five CPU models once. */
function inCi({ machine, cpu }: Vm): boolean {
  return (machine === 'q35' && cpus.includes(cpu)) || cpu === 'host';
}

function allOf(emulator: Emulator): readonly Vm[] {
  return machines.flatMap((machine) =>
    [...cpus, emulator.xeon].map((cpu) => ({ emulator, machine, cpu })),
  );
}

function commandOf({ emulator, machine, cpu }: Vm): string[] {
  const vm = ['-machine', `${machine},accel=kvm`, '-cpu', cpu, '-m', '128'];
  return [programOf(emulator), ...vm, '-nodefaults', '-nographic', '-no-reboot'];
}

async function compare(vm: Vm): Promise<Case> {
  const before = whyNotNatively() === undefined ? await runsNatively(vm) : undefined;
  const after = await comesToRun(vm);
  return {
    name: `QEMU ${vm.emulator.version} ${vm.machine} ${vm.cpu}`,
    agrees: after === 'runs',
    underExec: after,
    ...(before !== undefined && { natively: before }),
  };
}

/** Its firmware runs until the monitor ends it. */
async function runsNatively(vm: Vm): Promise<string> {
  const command = [...commandOf(vm), '-monitor', 'stdio'];
  const { stdout, stderr } = await natively(command, { input: 'info status\nquit\n' });
  return stdout.includes('VM status: running') ? 'runs' : `fails: ${lastLine(stderr)}`;
}

/** No guest code runs, and the VM ends at its first exit. */
async function comesToRun(vm: Vm): Promise<string> {
  const command = [...commandOf(vm), '-monitor', 'none'];
  const { exitCode, stderr, trace, timedOut } = await underExec(command, { withTrace: true });
  if (timedOut) return 'fails: it did not end';
  const [printed] = wronglyPrinted(stderr, { model: vm.cpu !== 'host' && vm.cpu !== 'max' });
  if (exitCode !== 0) return `fails: ${printed ?? lastLine(stderr)}`;
  if (!trace.includes('"KVM_RUN"')) return 'fails: it never ran';
  return printed === undefined ? 'runs' : `prints what a TDX host would not: ${printed}`;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

test(
  'QEMU’s ordinary VMs come to their first KVM_RUN under exec',
  async (context) => {
    requireSupervision(context);
    const here = inThisForm.filter(isHere);
    if (here.length === 0) context.skip(whyNotFetched('qemu'));
    const vms = here.flatMap(allOf).filter((vm) => isFull || inCi(vm));
    judge('qemu-ordinary-vms', await twoAtATime(vms, compare));
  },
  suiteTimeoutMs,
);
