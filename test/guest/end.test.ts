/** Each end of a guest says where, why and what to do. */
import { describe, expect, test } from 'vitest';
import { endInWords, guestFailure } from '../../src/guest/index.ts';
import type { GuestEnd, GuestEndReason } from '../../src/host/guest.ts';
import { KvmError } from '../../src/host/kvm-error.ts';

const ends: Readonly<Record<GuestEndReason['kind'], readonly [GuestEndReason, RegExp, RegExp?]>> = {
  'power-off': [{ kind: 'power-off' }, /powered off/],
  reset: [{ kind: 'reset' }, /a TD is not reset but made anew/],
  halted: [{ kind: 'halted' }, /vCPU 1 has halted/],
  'debug-exit': [
    { kind: 'debug-exit', value: 3 },
    /vCPU 1 .* with the value 3/,
    /what its values mean/,
  ],
  shutdown: [{ kind: 'shutdown' }, /vCPU 1 .* triple fault/, /--console-log/],
  'fail-entry': [
    { kind: 'fail-entry', reason: 0x8000_0021n, cpu: 4 },
    /did not enter vCPU 1 on CPU 4: reason 0x80000021/,
    /the state of the vCPU is none that the processor takes/,
  ],
  'internal-error': [
    { kind: 'internal-error', suberror: 1, data: [1n] },
    /vCPU 1 .*KVM_INTERNAL_ERROR_EMULATION \(0x1\)/,
    /tdctl doctor/,
  ],
  'system-event': [
    { kind: 'system-event', type: 3, data: [] },
    /crashed \(KVM_SYSTEM_EVENT_CRASH of vCPU 1\)/,
    /--console-log/,
  ],
  'memory-fault': [
    { kind: 'memory-fault', flags: 8n, gpa: 0x1000n, sizeBytes: 4096n },
    /vCPU 1 wants the 4096 bytes at 0x1000 as private memory/,
    /tdctl plan/,
  ],
  'unknown-exit': [
    { kind: 'unknown-exit', exit: 'KVM_EXIT_DEBUG' },
    /vCPU 1 ended with KVM_EXIT_DEBUG/,
    /runs under a VMM/,
  ],
  refused: [
    { kind: 'refused', error: KvmError.of('KVM_RUN', 'EIO') },
    /KVM_RUN of vCPU 1 was refused: EIO/,
    /dmesg/,
  ],
  'host-gone': [
    { kind: 'host-gone', error: new Error('the shared host is gone') },
    /the shared host is gone/,
    /start that anew/,
  ],
};

const ended = (reason: GuestEndReason): GuestEnd => ({ vcpu: 1, ...reason });

describe('the end of a guest', () => {
  test.for(Object.entries(ends))('%s', ([, [reason, message, hint]]) => {
    const words = endInWords(ended(reason));
    expect(words.message).toMatch(message);
    if (hint === undefined) expect(words.hint).toBeUndefined();
    else expect(words.hint).toMatch(hint);
    const failure = guestFailure(ended(reason));
    expect(failure === undefined).toBe(hint === undefined);
  });

  test.for([
    [1, /KVM_SYSTEM_EVENT_SHUTDOWN/, false],
    [2, /KVM_SYSTEM_EVENT_RESET/, false],
    [4, /KVM_SYSTEM_EVENT_WAKEUP/, true],
    [5, /KVM_SYSTEM_EVENT_SUSPEND/, true],
    [6, /KVM_SYSTEM_EVENT_SEV_TERM/, true],
    [99, /system event 99 \(0x5\), which has no name here/, true],
  ] as const)('by system event %s has its name', ([type, message, fails]) => {
    const end = ended({ kind: 'system-event', type, data: type === 99 ? [5n] : [] });
    expect(endInWords(end).message).toMatch(message);
    expect(guestFailure(end) !== undefined).toBe(fails);
  });

  test('by a VM entry that the TDX module refused names the status word to explain', () => {
    const reason = 0xc000_0b00_0000_0000n;
    const { hint } = endInWords(ended({ kind: 'fail-entry', reason, cpu: 0 }));
    expect(hint).toContain('`tdctl explain 0xc0000b0000000000`');
  });

  test('by a memory fault that has a reason says that', () => {
    const [reason] = ends['memory-fault'];
    expect(endInWords(ended(reason), 'vCPU 1 touched what is none').message).toBe(
      'vCPU 1 touched what is none',
    );
  });
});
