/**
 * One call as a trace shows it: from what the kernel model really copied in and out, so a struct
 * that a refusal came before is not shown. Left out is what differs between two equal runs:
 * addresses in the caller's memory. Of these only a fault, a null pointer and a bad alignment count.
 */
import { capabilities } from '../../abi/kvm/capabilities.ts';
import { PAGE_SIZE } from '../../abi/kvm/structs.ts';
import { vmTypes } from '../../abi/kvm/vm-types.ts';
import type {
  Answer,
  Copies,
  Copy,
  CpuidHeader,
  Handle,
  Request,
  RunPageInput,
  RunRequest,
  VcpuExit,
} from '../../simulator/index.ts';
import { exitValue } from './exits.ts';
import type { CallOutcome, TraceArgs, TraceValue } from './record.ts';
import { cpuidValue, hex, kernelName, plainValue } from './values.ts';

type NameOf = (handle: Handle) => string | undefined;

export interface DescribedCall {
  readonly request: string;
  readonly args: TraceArgs;
}

/**
 * @param copies what the model noted of this call (`listen()` of the machine).
 * @param content digest of the pages that KVM_TDX_INIT_MEM_REGION read (DigestingMemory).
 */
export function describeCall(
  request: Request | RunRequest,
  copies: Copies,
  nameOf: NameOf,
  { content }: { readonly content?: string | undefined } = {},
): DescribedCall {
  const { request: name, ...fields } = request;
  const parts = Object.entries(fields).map(([field, value]): TraceArgs => {
    const noted = copies[field];
    if (noted !== undefined) return copiesArgs(field, noted, { name, nameOf });
    // A struct that was never looked at.
    return typeof value === 'object' ? {} : fieldArgs({ [field]: value }, nameOf);
  });
  const { faults, out, ...args } = merged(parts);
  return {
    request: name,
    args: {
      ...args,
      ...(content === undefined ? {} : { content }),
      ...(out === undefined ? {} : { out }),
      ...(faults === undefined ? {} : { faults }),
    },
  };
}

/** @param made the name of what the call made. */
export function outcomeOf(answer: Answer, made?: string): CallOutcome {
  if (!answer.ok) {
    const { errno, hwError } = answer;
    return hwError === undefined ? { errno } : { errno, hwError: hex(hwError) };
  }
  return made === undefined ? { value: answer.value } : { value: 0, made };
}

interface Context {
  readonly name: string;
  readonly nameOf: NameOf;
}

/** One struct: what was read as fields, what was written under `out`, and which copies faulted. */
function copiesArgs(struct: string, copies: readonly Copy[], context: Context): TraceArgs {
  const faults: string[] = [];
  const times = new Map<string, number>();
  const read: TraceArgs[] = [];
  const written: TraceArgs[] = [];
  for (const { access, value } of copies) {
    const time = (times.get(access) ?? 0) + 1;
    times.set(access, time);
    if (value === undefined) {
      faults.push(`${struct}.${access}${time === 1 ? '' : `#${time}`}`);
    } else if (access === 'writeExit') {
      read.push({ exit: exitValue(value as VcpuExit) });
    } else {
      const shown = copyArgs(struct, { access, value }, context);
      (access.startsWith('write') ? written : read).push(shown);
    }
  }
  const out = merged(written);
  return {
    ...merged(read),
    ...(Object.keys(out).length === 0 ? {} : { out }),
    ...(faults.length === 0 ? {} : { faults }),
  };
}

function copyArgs(struct: string, { access, value }: Copy, context: Context): TraceArgs {
  if (struct === 'cmd') return commandArgs(access, value as object, context);
  if (struct === 'page') return runInputArgs(value as RunPageInput);
  const rule = accessRules[access];
  if (rule !== undefined) return rule(value as never, context);
  // Registers, an XSAVE area, a clock: of interest to nobody, and of another run every time.
  if (value instanceof Uint8Array) return { bytes: value.length };
  if (typeof value !== 'object') return { [kernelName(struct)]: plainValue(value) };
  return fieldArgs(value as object, context.nameOf);
}

type AccessRule = (value: never, context: Context) => TraceArgs;

/** Structs that the kernel copies in parts. */
const accessRules: Readonly<Record<string, AccessRule>> = {
  readNent: (nent: number) => ({ nent }),
  readCount: (count: number) => ({ count }),
  writeCount: (count: number) => ({ count }),
  readHeader: (header: object, { nameOf }) => fieldArgs(header, nameOf),
  writeHeader: (header: object, { nameOf }) => fieldArgs(header, nameOf),
  readEntries: entriesArgs,
  writeEntries: entriesArgs,
  // What a host has in its lists is no matter of the program.
  writeIndices: () => ({}),
  readBitmap: () => ({}),
};

function entriesArgs(entries: readonly object[], { name }: Context): TraceArgs {
  const [first = {}] = entries;
  if ('function' in first) return { cpuid: entriesOf(entries) };
  if ('gsi' in first) return { routes: plainValue(entries) };
  // The values that an MSR has may be times.
  const shown = entries.map((entry) =>
    name === 'KVM_GET_MSRS' ? hex((entry as { index: number }).index) : msrText(entry),
  );
  return { msrs: shown };
}

function msrText(entry: object): string {
  const { index, data } = entry as { readonly index: number; readonly data: bigint };
  return `${hex(index)}:${hex(data)}`;
}

/** What is written back of a command is its hw_error, which the outcome shows. */
function commandArgs(access: string, command: object, { name, nameOf }: Context): TraceArgs {
  if (access === 'write') return {};
  const { id, data, ...rest } = fieldArgs(command, nameOf);
  return {
    ...(name === 'KVM_MEMORY_ENCRYPT_OP' && id !== undefined ? { id } : {}),
    ...rest,
    // The one command whose data is no pointer.
    ...(name === 'KVM_TDX_INIT_VCPU' && data !== undefined ? { data } : {}),
  };
}

function runInputArgs({ immediateExit, ...rest }: RunPageInput): TraceArgs {
  const answered = Object.entries(rest).filter(([, value]) => value !== 0n);
  return {
    ...(immediateExit ? { immediate_exit: true } : {}),
    ...fieldArgs(Object.fromEntries(answered), () => undefined),
  };
}

type FieldRule = (value: never, nameOf: NameOf, struct: object) => TraceArgs;

/** Fields that are not shown under their own name as they are. */
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
  cpuid: (cpuid: unknown) =>
    Array.isArray(cpuid)
      ? { cpuid: entriesOf(cpuid) }
      : { ...headerArgs(cpuid as CpuidHeader), cpuid: entriesOf((cpuid as InitCpuid).entries) },
};

function fieldArgs(fields: object, nameOf: NameOf): TraceArgs {
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

function entriesOf(entries: unknown): TraceValue {
  return cpuidValue(entries as Parameters<typeof cpuidValue>[0]) as unknown as TraceValue;
}

const takesFd: ReadonlySet<number> = new Set([
  capabilities.KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM,
  capabilities.KVM_CAP_VM_COPY_ENC_CONTEXT_FROM,
]);

/** Without the zeros at the end; an fd by the name of what it stands for. */
function capArgs(args: readonly bigint[], nameOf: NameOf, struct: object): TraceArgs {
  const end = args.findLastIndex((arg) => arg !== 0n) + 1;
  const { cap } = struct as { readonly cap?: number };
  const [first] = args;
  const source = takesFd.has(cap ?? -1) && first !== undefined ? nameOf(Number(first)) : undefined;
  return { args: args.slice(0, end).map((arg, n) => (n === 0 && source ? source : hex(arg))) };
}

const KVM_MEM_GUEST_MEMFD = 4;

/** Which eventfd it is, only the system knows. */
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

/** Later ones win; `out` and `faults` come together. */
function merged(parts: readonly TraceArgs[]): TraceArgs {
  const faults = parts.flatMap((part) => (part.faults as readonly string[] | undefined) ?? []);
  const out = Object.assign({}, ...parts.map((part) => part.out ?? {}));
  return {
    ...Object.assign({}, ...parts),
    ...(Object.keys(out).length === 0 ? {} : { out }),
    ...(faults.length === 0 ? {} : { faults }),
  };
}
