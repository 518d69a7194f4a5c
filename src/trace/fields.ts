/** The fields of a struct become the arguments of a traced call. */
import { capabilities } from '../abi/kvm/capabilities.ts';
import { KVM_MEM_GUEST_MEMFD, PAGE_SIZE } from '../abi/kvm/structs.ts';
import { vmTypes } from '../abi/kvm/vm-types.ts';
import type { CpuidHeader, Handle } from '../simulator/index.ts';
import type { TraceArgs, TraceValue } from './record.ts';
import { cpuidValue, hex, kernelName, plainValue } from './values.ts';

export type NameOf = (handle: Handle) => string | undefined;

type FieldRule = (value: never, nameOf: NameOf, struct: object) => TraceArgs;

/** These fields are not shown under their own name as they are. */
const fieldRules: Readonly<Record<string, FieldRule>> = {
  arg: (arg: bigint) => (arg === 0n ? {} : { arg: hex(arg) }),
  padding: (padding: number) => (padding === 0 ? {} : { padding }),
  hwError: (hwError: bigint) => (hwError === 0n ? {} : { hw_error: hex(hwError) }),
  reserved: (words: readonly bigint[]) =>
    words.every((word) => word === 0n) ? {} : { reserved: plainValue(words) },
  flags: (flags: number | bigint) => ({ flags: hex(flags) }),
  type: (type: number) => ({ type: nameIn(vmTypes, type) }),
  capability: (cap: number) => ({ cap: nameIn(capabilities, cap) }),
  cap: (cap: number) => ({ cap: nameIn(capabilities, cap) }),
  args: capArgs,
  sourceAddr: (address: bigint) => pointerArgs('source_addr', address),
  userspaceAddr: (address: bigint) => pointerArgs('userspace_addr', address, 'may be null'),
  guestMemfd: guestMemfdArgs,
  eventfd: (fact: unknown) => eventfdArgs('eventfd', fact),
  resamplefd: (fact: unknown) => eventfdArgs('resamplefd', fact),
  // The clock is left out because it differs from moment to moment.
  clock: () => ({}),
  realtime: () => ({}),
  hostTsc: () => ({}),
  cpuid: (cpuid: unknown) =>
    Array.isArray(cpuid)
      ? { cpuid: entriesOf(cpuid) }
      : { ...headerArgs(cpuid as CpuidHeader), cpuid: entriesOf((cpuid as InitCpuid).entries) },
};

export function fieldArgs(fields: object, nameOf: NameOf): TraceArgs {
  return merged(
    Object.entries(fields).map(([field, value]): TraceArgs => {
      const rule = fieldRules[field];
      if (rule !== undefined) return rule(value as never, nameOf, fields);
      return value === undefined ? {} : { [kernelName(field)]: plainValue(value) };
    }),
  );
}

type InitCpuid = { readonly entries: unknown };

function headerArgs({ nent, padding }: CpuidHeader): TraceArgs {
  return padding === 0 ? { nent } : { nent, padding };
}

export function entriesOf(entries: unknown): TraceValue {
  return cpuidValue(entries as Parameters<typeof cpuidValue>[0]) as unknown as TraceValue;
}

const takesFd: ReadonlySet<number> = new Set([
  capabilities.KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM,
  capabilities.KVM_CAP_VM_COPY_ENC_CONTEXT_FROM,
]);

/** The zeros at the end are left out, and an fd is given by the name of what it stands for. */
function capArgs(args: readonly bigint[], nameOf: NameOf, struct: object): TraceArgs {
  const end = args.findLastIndex((arg) => arg !== 0n) + 1;
  const { cap } = struct as { readonly cap?: number };
  const [first] = args;
  const source = takesFd.has(cap ?? -1) && first !== undefined ? nameOf(Number(first)) : undefined;
  return { args: args.slice(0, end).map((arg, n) => (n === 0 && source ? source : hex(arg))) };
}

/** Only the system knows which eventfd it is. */
function eventfdArgs(name: string, fact: unknown): TraceArgs {
  return { [name]: typeof fact === 'string' ? fact : 'open' };
}

function guestMemfdArgs(
  handle: Handle | undefined,
  nameOf: NameOf,
  struct: { readonly flags?: number | bigint },
): TraceArgs {
  const isSlot = 'slot' in struct;
  if (isSlot && (Number(struct.flags ?? 0) & KVM_MEM_GUEST_MEMFD) === 0) return {};
  return { guest_memfd: handle === undefined ? 'none' : (nameOf(handle) ?? 'unknown') };
}

function pointerArgs(name: string, address: bigint, rule?: 'may be null'): TraceArgs {
  if (address % PAGE_SIZE !== 0n) return { [name]: 'unaligned' };
  return address === 0n && rule === undefined ? { [name]: 'null' } : {};
}

function nameIn(table: Readonly<Record<string, number>>, number: number): TraceValue {
  return Object.entries(table).find(([, known]) => known === number)?.[0] ?? number;
}

/** Later parts override earlier ones, except that `out` and `faults` are combined. */
export function merged(parts: readonly TraceArgs[]): TraceArgs {
  const faults = parts.flatMap((part) => (part.faults as readonly string[] | undefined) ?? []);
  const out = Object.assign({}, ...parts.map((part) => part.out ?? {}));
  return {
    ...Object.assign({}, ...parts),
    ...(Object.keys(out).length === 0 ? {} : { out }),
    ...(faults.length === 0 ? {} : { faults }),
  };
}
