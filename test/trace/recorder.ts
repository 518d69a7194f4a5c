/** The trace of a simulated machine as `tdctl exec` would write it, without a program in between. */

import type { IoctlEvent, SimulatedMachine } from '../../src/simulator/index.ts';
import {
  type CallOutcome,
  describeCall,
  type ObjectKind,
  ObjectNames,
  outcomeOf,
  type TraceRecord,
  traceVersion,
} from '../../src/trace/index.ts';

const madeBy: Readonly<Record<string, ObjectKind>> = {
  KVM_CREATE_VM: 'vm',
  KVM_CREATE_VCPU: 'vcpu',
  KVM_CREATE_GUEST_MEMFD: 'gmem',
  KVM_LINK_GUEST_MEMFD: 'gmem',
};

/** @returns the records so far; it grows with every call. */
export function recordTrace(
  machine: SimulatedMachine,
  { kvm, host = 'sim:spr-1.5' }: { readonly kvm: number; readonly host?: string },
): TraceRecord[] {
  const names = new ObjectNames();
  const kernel = machine.kernelAbi.name;
  const records: TraceRecord[] = [
    { kind: 'header', version: traceVersion, host, kernel, command: ['vmm', '-m', '512'] },
    { kind: 'open', thread: 'T0', outcome: { value: 0, made: names.add('sys', kvm) } },
  ];
  machine.listen((event) => {
    if (event.kind === 'seamcall') return;
    const object = names.nameOf(event.handle) ?? 'sys#99';
    if (event.kind === 'release') {
      records.push({ kind: 'close', object });
      return;
    }
    const outcome = outcomeIn(event, names);
    const call = describeCall(event.request, event.copies, (handle) => names.nameOf(handle));
    records.push({ kind: 'call', thread: 'T0', object, ...call, outcome });
  });
  return records;
}

function outcomeIn({ request, answer }: IoctlEvent, names: ObjectNames): CallOutcome {
  const kind = madeBy[request.request];
  return outcomeOf(
    answer,
    kind !== undefined && answer.ok ? names.add(kind, answer.value) : undefined,
  );
}
