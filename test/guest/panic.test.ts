/** The last words of a TD, which may be anything. */
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { sanitize } from '../../src/errors/sanitize.ts';
import { endInWords, guestFailure, panicOf, panicText } from '../../src/guest/index.ts';
import type { GuestEnd } from '../../src/host/guest.ts';
import { openSimulatedHost } from '../../src/host/simulated/index.ts';

const order = [14, 15, 3, 7, 6, 8, 9, 2];
const allShown = order.reduce((mask, number) => mask | (1n << BigInt(number)), 0n);

function fatal(text: Uint8Array, { shown = allShown, code = 0n, gpa = 0n } = {}): GuestEnd {
  const bytes = Buffer.alloc(64);
  bytes.set(text.subarray(0, 64));
  const data = Array.from({ length: 16 }, () => 0n);
  data[1] = shown;
  data[12] = code;
  data[13] = gpa;
  for (const [at, number] of order.entries()) data[number] = bytes.readBigUInt64LE(8 * at);
  return { vcpu: 0, kind: 'system-event', type: 7, data };
}

const textOf = (end: GuestEnd) => {
  const panic = panicOf(end);
  return panic && panicText(panic);
};

describe('the text of ReportFatalError', () => {
  test('is what the guest put into its registers, as Linux lays it out', () => {
    const text = 'Invalid TD ATTRIBUTES, and sixty-four bytes of text are just ok!';
    expect(textOf(fatal(Buffer.from(text)))).toBe(text);
  });

  test('has no register that the guest did not show', () => {
    const shown = (1n << 14n) | (1n << 3n);
    expect(textOf(fatal(Buffer.from('12345678abcdefghABCDEFGH'), { shown }))).toBe(
      '12345678ABCDEFGH',
    );
    expect(textOf(fatal(Buffer.from('hidden'), { shown: 0n }))).toBe('');
  });

  property.prop([fc.uint8Array({ minLength: 64, maxLength: 64 })])(
    'is one line that is safe to print, whatever it is',
    (bytes) => {
      const text = textOf(fatal(bytes)) ?? '';
      expect(sanitize(text)).toBe(text);
    },
  );

  property.prop([fc.array(fc.bigInt(0n, (1n << 64n) - 1n), { maxLength: 20 })])(
    'is found in any number of words',
    (data) => {
      const end: GuestEnd = { vcpu: 0, kind: 'system-event', type: 7, data };
      expect(typeof textOf(end)).toBe('string');
      expect(guestFailure(end)?.message).toContain('the guest gave up');
    },
  );

  test('goes on in the page that the guest names, by an address with the shared bit', async () => {
    const host = openSimulatedHost({ profile: 'spr-1.5', kernelAbi: 'upstream-7.3' });
    const vm = await host.createVm({ type: 'KVM_X86_TDX_VM' });
    const memory = await host.mapMemory({ sizeBytes: 8192n });
    const guestMemory = await vm.createGuestMemfd({ sizeBytes: 8192n });
    memory.write({ offsetBytes: 4096n, bytes: Buffer.from('and more\n') });
    const gpa = (1n << 47n) | 4096n;
    const panic = panicOf(fatal(Buffer.from('no memory'), { code: 1n << 63n, gpa }));
    const slots = [{ gpa: 0n, sizeBytes: 8192n, memory, guestMemory }];
    expect(panic).toMatchObject({ code: 0n, gpa: 4096n });
    expect(panic && panicText(panic, slots)).toBe('no memory | and more');
    expect(panic && panicText({ ...panic, gpa: 1n << 40n }, slots)).toBe('no memory');
  });

  test('is in the words of the end', () => {
    expect(endInWords(fatal(Buffer.from('no memory'))).message).toBe(
      'the guest gave up: “no memory” (ReportFatalError of vCPU 0, code 0x0)',
    );
    expect(endInWords(fatal(Buffer.alloc(0), { code: 5n })).message).toBe(
      'the guest gave up, without a word (ReportFatalError of vCPU 0, code 0x5)',
    );
  });
});
