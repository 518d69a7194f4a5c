/**
 * Describes one call as a trace shows it. It is made from what the kernel model really copied in and
 * out, so a struct does not appear if the call was refused before the struct was read. What differs
 * between two equal runs is left out, which is addresses in the caller's memory: only a fault, a null
 * pointer and a bad alignment are shown of these.
 */
import type {
  Answer,
  Copies,
  Copy,
  Request,
  RunPageInput,
  RunRequest,
  VcpuExit,
} from '../simulator/index.ts';
import { exitValue } from './exits.ts';
import { entriesOf, fieldArgs, merged, type NameOf } from './fields.ts';
import type { CallOutcome, TraceArgs } from './record.ts';
import { hex, kernelName, plainValue } from './values.ts';

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
    // The kernel never read this struct.
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

/** @param made the name of the object that the call made. */
export function outcomeOf(answer: Answer, made?: string): CallOutcome {
  if (!answer.ok) {
    const { errno, check, hwError } = answer;
    return {
      errno,
      ...(check === undefined ? {} : { check }),
      ...(hwError === undefined ? {} : { hwError: hex(hwError) }),
    };
  }
  return made === undefined ? { value: answer.value } : { value: 0, made };
}

interface Context {
  readonly name: string;
  readonly nameOf: NameOf;
}

/**
 * A struct shows what was read as its fields, what was written under `out`, and which copies faulted.
 */
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
  // Registers, an XSAVE area or a clock interest nobody, and differ in every run.
  if (value instanceof Uint8Array) return { bytes: value.length };
  if (typeof value !== 'object') return { [kernelName(struct)]: plainValue(value) };
  const fields = isEncRegion(context) ? { ...(value as object), addr: undefined } : value;
  return fieldArgs(fields as object, context.nameOf);
}

/** Here `addr` is an address in the caller's memory. */
function isEncRegion({ name }: Context): boolean {
  return name.startsWith('KVM_MEMORY_ENCRYPT_') && name !== 'KVM_MEMORY_ENCRYPT_OP';
}

type AccessRule = (value: never, context: Context) => TraceArgs;

/** The kernel copies these structs in parts. */
const accessRules: Readonly<Record<string, AccessRule>> = {
  readNent: (nent: number) => ({ nent }),
  readCount: (count: number) => ({ count }),
  writeCount: (count: number) => ({ count }),
  readHeader: (header: object, { nameOf }) => fieldArgs(header, nameOf),
  writeHeader: (header: object, { nameOf }) => fieldArgs(header, nameOf),
  readEntries: entriesArgs,
  writeEntries: entriesArgs,
  // The contents of the lists depend on the host and not on the program.
  writeIndices: () => ({}),
  readBitmap: () => ({}),
  // The outcome names the file.
  writeFile: () => ({}),
};

function entriesArgs(entries: readonly object[], { name }: Context): TraceArgs {
  const [first = {}] = entries;
  if ('function' in first) return { cpuid: entriesOf(entries) };
  if ('gsi' in first) return { routes: plainValue(entries) };
  // The values of MSRs are left out, because they may be times.
  const shown = entries.map((entry) =>
    name === 'KVM_GET_MSRS' ? hex((entry as { index: number }).index) : msrText(entry),
  );
  return { msrs: shown };
}

function msrText(entry: object): string {
  const { index, data } = entry as { readonly index: number; readonly data: bigint };
  return `${hex(index)}:${hex(data)}`;
}

/** Of a command only its hw_error is written back, and the outcome shows that already. */
function commandArgs(access: string, command: object, { name, nameOf }: Context): TraceArgs {
  if (access === 'write') return {};
  const { id, data, ...rest } = fieldArgs(command, nameOf);
  return {
    ...(name === 'KVM_MEMORY_ENCRYPT_OP' && id !== undefined ? { id } : {}),
    ...rest,
    // This is the only command whose data is no pointer.
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
