/** A capture has the facts of one host in one file, for support, comparison and simulation. */
import type { DoctorFacts, SlotHolder } from '../doctor/facts.ts';
import type { Reading } from '../doctor/reading.ts';

export const captureKind = 'tdctl.HostCapture';
export const captureSchemaVersion = 1;

export interface HostCapture {
  readonly kind: typeof captureKind;
  readonly schemaVersion: number;
  /** The version of tdctl that wrote it. */
  readonly tdctl: string;
  readonly facts: DoctorFacts;
}

/**
 * Leaves out what names a machine or its tenants: cgroups by name (they hold those of VMs and
 * users) and the owner of /dev/kvm. Host names, serial numbers, addresses and whole command lines
 * are never read in the first place (doctor/facts.ts).
 */
export function captureOf(facts: DoctorFacts, options: { readonly tdctl: string }): HostCapture {
  const { keySlots, kvm } = facts;
  return {
    kind: captureKind,
    schemaVersion: captureSchemaVersion,
    tdctl: options.tdctl,
    facts: {
      ...facts,
      keySlots: {
        ...keySlots,
        used: withoutPlace(keySlots.used, 'misc.current'),
        ownLimit: withoutPlace(keySlots.ownLimit, 'misc.max'),
        holders: keySlots.holders.map(withoutName),
      },
      kvm: { ...kvm, device: withoutOwner(kvm.device) },
    },
  };
}

function withoutPlace<Value>(reading: Reading<Value>, from: string): Reading<Value> {
  return { ...reading, from };
}

function withoutName(holder: SlotHolder, index: number): SlotHolder {
  return { ...holder, cgroup: holder.cgroup === '/' ? '/' : `cgroup-${index + 1}` };
}

function withoutOwner(device: DoctorFacts['kvm']['device']): DoctorFacts['kvm']['device'] {
  if (device.state !== 'read' || device.value.owner === 'root') return device;
  return { ...device, value: { ...device.value, owner: 'other' } };
}
