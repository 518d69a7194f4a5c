/**
 * What the example guest does differently in a TD, tried in a plain VM: CPUID says that it is one, and what
 * stands for TDCALL is answered by td-module.s. Whether a real TDX module agrees with it, only a real TDX module can say.
 */
import { join } from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import type { Vcpu } from '../../native/index.ts';
import { assemble } from '../../scripts/assemble.mjs';
import type { CpuidEntry } from '../../src/abi/kvm/structs.ts';
import { skipWithoutBinutils } from '../support/binutils.ts';
import { type Disguise, helloFirmware, startExampleGuest } from './example-guest-support.ts';

const imageAt = 0xffff_0000;
/** Nothing of the guest is there. */
const moduleAt = 0xffff_c000;
const invalidOpcode = 6;

function disguise(context: TestContext): Disguise {
  skipWithoutBinutils(context);
  const firmware = Buffer.from(helloFirmware);
  // LIDT takes the limit of 32 gates, then the address.
  const limit = Buffer.from(Uint16Array.of(32 * 16 - 1).buffer);
  const addressHigh = Buffer.from(Uint16Array.of(0xffff, 0, 0).buffer);
  let pointer = firmware.indexOf(limit);
  while (!firmware.subarray(pointer + 4, pointer + 10).equals(addressHigh)) {
    pointer = firmware.indexOf(limit, pointer + 1);
  }
  const gate = firmware.readUInt16LE(pointer + 2) + 16 * invalidOpcode;
  const original = imageAt + firmware.readUInt16LE(gate);
  firmware.writeUInt16LE(moduleAt - imageAt, gate);
  expect(replaceAll(firmware, tdcall, noInstruction)).toBe(2);
  firmware.set(assembleModule(original), moduleAt - imageAt);
  return { firmware, cpuid: saysThatItIsATd, prepare: enableLongMode };
}

/** UD2 and two NOPs: a nested KVM that emulates CPL 0 ends where it meets TDCALL. */
const noInstruction = Buffer.of(0x0f, 0x0b, 0x90, 0x90);
const tdcall = Buffer.of(0x66, 0x0f, 0x01, 0xcc);

function replaceAll(bytes: Buffer, what: Uint8Array, by: Uint8Array): number {
  let found = 0;
  for (let at = bytes.indexOf(what); at !== -1; at = bytes.indexOf(what, at)) {
    bytes.set(by, at);
    found += 1;
  }
  return found;
}

function assembleModule(original: number): Uint8Array {
  const hex = (address: number) => `0x${address.toString(16)}`;
  return assemble(
    [join(import.meta.dirname, 'td-module.s')],
    [`-Ttext=${hex(moduleAt)}`, '-e', hex(moduleAt), `--defsym=original=${hex(original)}`],
  );
}

function saysThatItIsATd(entries: readonly CpuidEntry[]): CpuidEntry[] {
  const word = (text: string) => Buffer.from(text).readUInt32LE();
  const [ebx, edx, ecx] = ['Inte', 'lTDX', '    '].map(word);
  const identity = { function: 0x21, index: 0, flags: 1, eax: 0, ebx, ecx, edx } as CpuidEntry;
  return [
    ...entries
      .filter((entry) => entry.function !== 0x21)
      .map((entry) =>
        entry.function === 0 ? { ...entry, eax: Math.max(entry.eax, 0x21) } : entry,
      ),
    identity,
  ];
}

/** As in a TD, where the guest cannot do it. */
async function enableLongMode(vcpu: Vcpu): Promise<void> {
  const sregs = await vcpu.kvmGetSregs();
  const efer = 264;
  sregs[efer + 1] = 1; // LME
  await vcpu.kvmSetSregs(sregs);
}

test('in a TD the guest does all of its I/O by TDVMCALL', async (context) => {
  const { judge, lines, counts, type, until, here } = await startExampleGuest(context, {
    vcpuCount: 2,
    disguise: disguise(context),
  });
  await counts(2);
  type('through the module');
  await until(() => lines.some(({ kind }) => kind === 'said'));
  expect(lines).toContainEqual({ kind: 'said', text: 'through the module' });
  type('quit');
  expect((await here().ended).kind).toBe('power-off');
  const { vcpus, garbled, goodbye } = judge.verdict();
  expect({ goodbye, garbled: garbled.total }).toEqual({ goodbye: true, garbled: 0 });
  expect(vcpus).toMatchObject(
    [0, 1].map((vcpu) => ({ vcpu, inTd: true, first: 1, lost: { total: 0 } })),
  );
});

test('in a TD it tells a panic to the host, in full', async (context) => {
  const { type, here, debugConsole } = await startExampleGuest(context, {
    disguise: disguise(context),
  });
  type('a line that is longer than the panic, and that must not be seen behind it any more');
  type('panic out of coffee');
  // The power-off is td-module.s, which has got all 64 bytes.
  expect(await here().ended).toEqual({ kind: 'power-off', vcpu: 0 });
  expect(debugConsole().toString()).toBe('out of coffee'.padEnd(64, '\0'));
});
