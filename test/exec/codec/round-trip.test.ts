/** Requests as bytes and as values: two equal machines cannot tell them apart. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type KernelAbiName, kernelAbis } from '../../../src/simulator/index.ts';
import type { Result } from '../../simulator/drive.ts';
import { anyLife, play } from '../../simulator/steps.ts';
import { ramGpa } from '../../simulator/structs.ts';
import { Twin } from './twin.ts';

const anyFaults = fc.uniqueArray(fc.nat(150), { maxLength: 8 }).map((copies) => new Set(copies));
const profiles = fc.constantFrom('spr-1.5', 'one-slot', 'small-client');

function expectEqual(twin: Twin): void {
  expect(twin.byBytes.machine.snapshot()).toEqual(twin.machine.snapshot());
  expect(twin.traces.bytes).toEqual(twin.traces.values);
}

describe.each(Object.keys(kernelAbis) as KernelAbiName[])('bytes and values (%s)', (kernelAbi) => {
  test('a TD from nothing to FINALIZE_VM has the same MRTD, and leaves nothing', () => {
    const twin = new Twin({ kernelAbi });
    const { vm, vcpus, guestMemfd } = twin.builtTd(2);
    twin.sourceByte = twin.byBytes.sourceByte = 0x5a;
    expect(twin.initMemRegion(vcpus[0] as number, undefined, 1)).toBe(0);
    expect(twin.finalizeVm(vm)).toBe(0);
    expectEqual(twin);
    const mrtd = twin.machine.mrtd(vm);
    expect(mrtd).toBeInstanceOf(Uint8Array);
    expect(twin.byBytes.machine.mrtd(vm)).toEqual(mrtd);
    twin.release(vm, ...vcpus, guestMemfd);
    expect(twin.byBytes.machine.snapshot()).toMatchObject({ vms: [], handles: 1 });
  });

  test('over random sequences: the same answers, structs, copies and machine', () => {
    fc.assert(
      fc.property(profiles, anyLife, (profile, sequence) => {
        const twin = new Twin({ kernelAbi, profile });
        play(twin, sequence, () => {});
        expectEqual(twin);
      }),
      { numRuns: 12 },
    );
  });

  test('with copies that fault, wherever they fall', () => {
    fc.assert(
      fc.property(anyLife, anyFaults, (sequence, faults) => {
        const twin = new Twin({ kernelAbi }, faults);
        play(twin, sequence, () => {});
        expectEqual(twin);
      }),
      { numRuns: 12 },
    );
  });
});

test('every copy of a whole TD faults in its turn, and each is noticed', () => {
  const errnos = new Set<string>();
  for (let copy = 0; ; copy++) {
    const twin = new Twin({}, new Set([copy]));
    const failed = build(twin);
    expectEqual(twin);
    if (failed === undefined) {
      expect(copy).toBeGreaterThan(20);
      break;
    }
    errnos.add(failed);
  }
  expect([...errnos]).toEqual(['EFAULT']);
});

/** The first refusal on the way to FINALIZE_VM. */
function build(twin: Twin): string | undefined {
  const handles = { vm: twin.createVm(), vcpu: 0, guestMemfd: 0 };
  const keep = (name: keyof typeof handles, result: Result) => {
    if (typeof result === 'number') handles[name] = result;
    return result;
  };
  const steps = [
    () => twin.cap(handles.vm, 'KVM_CAP_SPLIT_IRQCHIP', 24n),
    () => twin.capabilities(handles.vm),
    () => twin.initVm(handles.vm),
    () => keep('vcpu', twin.createVcpu(handles.vm, 0)),
    () => twin.setCpuid2(handles.vcpu),
    () => twin.getCpuid(handles.vcpu),
    () => twin.initVcpu(handles.vcpu),
    () => keep('guestMemfd', twin.createGuestMemfd(handles.vm)),
    () => twin.setSlot(handles.vm, handles.guestMemfd),
    () => twin.setPrivate(handles.vm, ramGpa, 16),
    () => twin.initMemRegion(handles.vcpu),
    () => twin.finalizeVm(handles.vm),
  ];
  for (const step of steps) {
    const result = step();
    if (typeof result === 'string') return result;
  }
  return undefined;
}
