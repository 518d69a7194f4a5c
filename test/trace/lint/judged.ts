/** Traces of a simulated machine, and what the linter says of them. */

import {
  type HostProfileName,
  hostProfiles,
  type KernelAbi,
  type KernelAbiName,
  kernelAbis,
} from '../../../src/simulator/index.ts';
import {
  type CallRecord,
  type TraceRecord,
  traceJsonLine,
  traceText,
} from '../../../src/trace/index.ts';
import {
  type LintReport,
  lintTrace,
  openTrace,
  type TracedTrace,
} from '../../../src/trace/lint/index.ts';
import { Driver, type DriverOptions } from '../../simulator/drive.ts';
import { recordTrace } from '../recorder.ts';

export interface JudgedUnder {
  readonly kernel?: KernelAbiName | KernelAbi;
  readonly host?: HostProfileName;
}

/** What a program did, with the end that `tdctl exec` writes. */
export async function recorded(
  run: (driver: Driver) => unknown,
  options: DriverOptions = {},
): Promise<TraceRecord[]> {
  const driver = new Driver(options);
  const records = recordTrace(driver.machine);
  await run(driver);
  return [...records, { kind: 'end', exit: { status: 0 } }];
}

/** The lines come in blocks of a few, as from a file. */
export async function opened(lines: readonly string[]): Promise<TracedTrace | undefined> {
  async function* blocks() {
    for (let at = 0; at < lines.length; at += 3) yield lines.slice(at, at + 3);
  }
  const found = await openTrace(blocks);
  return 'trace' in found ? found.trace : undefined;
}

export async function judgedText(text: string, under: JudgedUnder = {}): Promise<LintReport> {
  const { kernel = 'upstream-7.3', host = 'spr-1.5' } = under;
  const trace = await opened(text.split('\n'));
  if (trace === undefined) throw new Error('this is no trace');
  return lintTrace(trace, {
    profile: hostProfiles[host],
    kernelAbi: typeof kernel === 'string' ? kernelAbis[kernel] : kernel,
    hostName: `sim:${host}`,
  });
}

export function judged(records: readonly TraceRecord[], under?: JudgedUnder): Promise<LintReport> {
  return judgedText(records.map(traceText).join('\n'), under);
}

export function judgedJson(records: readonly TraceRecord[]): Promise<LintReport> {
  return judgedText(records.map(traceJsonLine).join('\n'));
}

/** `error create-vcpu.wrong-order`. */
export function ids({ findings }: LintReport): string[] {
  return findings.map(({ severity, id }) => `${severity} ${id}`);
}

/** The same calls as strace would print them, with descriptors instead of names. */
export function straceOf(records: readonly TraceRecord[]): string {
  const fds = new Map<string, number>();
  const made = (name: string) => {
    const fd = 3 + fds.size;
    fds.set(name, fd);
    return String(fd);
  };
  const answer = (outcome: CallRecord['outcome']) => {
    if ('interrupted' in outcome) return '? ERESTARTSYS (To be restarted if SA_RESTART is set)';
    if ('errno' in outcome) return `-1 ${outcome.errno} (said in words)`;
    return outcome.made === undefined ? String(outcome.value) : made(outcome.made);
  };
  const lineOf = (record: TraceRecord): string => {
    switch (record.kind) {
      case 'open':
        return `openat(AT_FDCWD, "/dev/kvm", O_RDWR|O_CLOEXEC) = ${answer(record.outcome)}`;
      case 'close':
        return `close(${fds.get(record.object)}) = 0`;
      case 'call':
        return `ioctl(${fds.get(record.object)}, ${ioctlText(record)}) = ${answer(record.outcome)}`;
      case 'seamcall':
      case 'event':
        return '';
      case 'end':
        return '+++ exited with 0 +++';
      case 'header':
        return `execve("/usr/bin/${record.command[0]}", [], 0x7ffe) = 0`;
    }
  };
  return records.map(lineOf).join('\n');
}

function ioctlText({ request, args }: CallRecord): string {
  if (request.startsWith('KVM_TDX_')) return 'KVM_MEMORY_ENCRYPT_OP, 0x7ffe41d72570';
  const value = args.id ?? args.type ?? args.cap ?? args.tsc_khz;
  const isByValue = request !== 'KVM_ENABLE_CAP' && value !== undefined;
  return `${request}, ${isByValue ? value : '0x7ffe41d72590'}`;
}
