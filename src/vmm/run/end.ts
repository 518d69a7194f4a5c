/** How a VMM and its guest have ended: well, or with an error. */
import type { Watched } from '../../../machines/vmm-td/index.ts';
import { TdctlError } from '../../errors/index.ts';
import type { VmmSession } from './session.ts';
import { errorOf, exitInWords, linesOf } from './words.ts';

interface GoodEnd {
  readonly reason: 'power-off' | 'reset' | 'vmm-ended';
  readonly message: string;
}

const reset: GoodEnd = {
  reason: 'reset',
  message: 'the guest asked for a reset, and a TD is not reset but made anew',
};

/** By ShutdownCause of qapi/run-state.json; one that is not here was no wish of the guest. */
const goodEnds: Readonly<Record<string, GoodEnd>> = {
  'guest-shutdown': { reason: 'power-off', message: 'the guest has powered off' },
  'guest-reset': reset,
  'subsystem-reset': reset,
  'host-qmp-system-reset': {
    reason: 'reset',
    message: 'somebody asked QEMU for a reset, and a TD is not reset but made anew',
  },
};

/** Resolves when the guest has ended as it should. @throws what went wrong. */
export function endOf(session: VmmSession): Watched {
  const { told, process, publish } = session;
  if (told?.kind === 'panic') throw panicked(told);
  if (told?.kind === 'internalError') throw internalError(session);
  if (told?.kind === 'shutdown' && told.reason !== 'guest-panic') {
    const end = goodEnds[told.reason] ?? {
      reason: 'vmm-ended',
      message: `QEMU was asked to end by somebody else (${told.reason})`,
    };
    publish({ event: 'guest.ended', reason: end.reason, vcpu: null, message: end.message });
    return { asksForReset: end.reason === 'reset' };
  }
  throw errorOf({ what: exitInWords(process?.exit ?? noExit), stderr: session.stderr });
}

const noExit = { code: null, signal: null };

function panicked({ text, code }: { readonly text: string; readonly code: number }): TdctlError {
  const said = text === '' ? ', without a word' : `: “${text}”`;
  return new TdctlError({
    code: 'TDCTL_E_GUEST',
    op: 'run the guest',
    message: `the guest gave up${said} (ReportFatalError, code 0x${code.toString(16)})`,
    hint: 'its firmware or kernel met what it cannot go on from, and says so itself; what it printed last leads there: `tdctl logs`',
  });
}

const notTaken = /invalid error code: (0x[0-9a-f]+|\d+)/i;

function internalError({ stderr }: VmmSession): TdctlError {
  const lines = linesOf(stderr).filter((line) => !isRegisters.test(line));
  const code = notTaken.exec(stderr)?.[1];
  const what =
    code === undefined
      ? 'QEMU cannot run the guest any more (its status is internal-error)'
      : `the guest gave up with a code that QEMU does not take (ReportFatalError, ${code}), so QEMU has stopped it`;
  return new TdctlError({
    code: 'TDCTL_E_GUEST',
    op: 'run the guest',
    message: what,
    details: lines,
    hint: 'what the guest printed last leads there: `tdctl logs`; of a TD the registers that QEMU dumps are zeros',
  });
}

/** QEMU dumps the vCPU, of which it sees nothing. */
const isRegisters = /^(?:[A-Z0-9]{2,4} ?=|(?:GDT|IDT|LDT|TR|EFER|XMM\d+|FPR\d|FCW|Code)\b)/;
