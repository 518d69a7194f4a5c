/**
 * What a VMM says as it ends, as the error that it is: by the table of messages that `tdctl explain` has, and where a
 * request to the kernel was refused as that refusal, whose words know the host.
 */
import { errnoNumbers } from '../../abi/kvm/errno.ts';
import type { RequestName } from '../../abi/kvm/requests.ts';
import { findInLine, type LineFinding } from '../../diagnosis/explain/index.ts';
import { TdctlError } from '../../errors/index.ts';
import { sanitize } from '../../errors/sanitize.ts';
import { KvmError } from '../../host/kvm-error.ts';
import type { VmmExit } from './process.ts';

const mostLines = 20;
/** QEMU says so of every bit, as often as it makes a vCPU, and goes on. */
const isChatter = /: warning: /;

export interface LastWords {
  /** What has ended, or gone wrong: a clause. */
  readonly what: string;
  readonly stderr: string;
}

export function linesOf(stderr: string): string[] {
  const lines = stderr.split('\n').map((line) => sanitize(line.trimEnd()));
  return lines.filter((line) => line !== '' && !isChatter.test(line)).slice(-mostLines);
}

/** `TDX ioctl KVM_TDX_INIT_VM failed, hw_errors: 0x0: No space left on device` */
const ioctlFailed = /TDX ioctl \w+ failed, hw_errors: (0x[0-9a-f]+)/;

export function refusalIn(lines: readonly string[]): KvmError | undefined {
  for (const line of lines) {
    for (const { refusal } of findInLine(line)) {
      const errno = errnoNumbers[refusal?.errno as keyof typeof errnoNumbers];
      if (refusal === undefined || errno === undefined) continue;
      const status = BigInt(ioctlFailed.exec(line)?.[1] ?? 0);
      const request = refusal.request as RequestName;
      return new KvmError({ request, errno, ...(status !== 0n && { hwStatus: status }) });
    }
  }
  return undefined;
}

/** @returns a KvmError where the kernel has refused something, else a TdctlError. */
export function errorOf({ what, stderr }: LastWords): KvmError | TdctlError {
  const lines = linesOf(stderr);
  const refused = refusalIn(lines);
  if (refused !== undefined) return refused;
  const answer = tellingAnswer(lines);
  return new TdctlError({
    code: 'TDCTL_E_VMM',
    op: 'run QEMU',
    message: answer === undefined ? what : `${what}: ${answer.meaning}`,
    details: lines,
    hint:
      answer?.next ??
      (lines.length === 0
        ? 'it has said nothing; the kernel log may (`dmesg`)'
        : '`tdctl explain` knows many of such lines, and vmm.log in the directory of the TD has what came before'),
  });
}

/** A cause comes before what follows from it, and what was said last before what was said first. */
function tellingAnswer(lines: readonly string[]): LineFinding['answer'] {
  const answers = lines.flatMap((line) => findInLine(line).flatMap(({ answer }) => answer ?? []));
  const ofRank = (rank: string) => answers.findLast((answer) => (answer.rank ?? 'cause') === rank);
  return ofRank('cause') ?? ofRank('effect');
}

export function exitInWords({ code, signal }: VmmExit): string {
  if (signal === 'SIGABRT') return 'QEMU has given up (SIGABRT)';
  if (signal === 'SIGKILL') {
    return 'QEMU was killed (SIGKILL): by a person, or by the kernel for want of memory (`dmesg | grep -i oom`)';
  }
  if (signal !== null) return `QEMU was ended by a signal (${signal})`;
  if (code !== null) return `QEMU has ended with exit code ${code}`;
  return 'QEMU has ended, and nobody was told how';
}
