/**
 * The class gives the arguments of a traced call to whoever replays it. A trace from a file may hold
 * anything, so an argument that is not there, or is no number, reads as undefined.
 */
import type { CpuidEntry } from '../../../abi/kvm/structs.ts';
import type { TraceArgs, TraceValue } from '../../record.ts';

export class CallArgs {
  readonly #args: TraceArgs;
  readonly #faults: ReadonlySet<string>;

  constructor(args: TraceArgs) {
    this.#args = args;
    this.#faults = new Set(listOf(args.faults).filter((fault) => typeof fault === 'string'));
  }

  has(name: string): boolean {
    return this.#args[name] !== undefined;
  }

  text(name: string): string | undefined {
    const value = this.#args[name];
    return typeof value === 'string' ? value : undefined;
  }

  big(name: string): bigint | undefined {
    return bigOf(this.#args[name]);
  }

  number(name: string): number | undefined {
    const value = this.big(name);
    return value === undefined || value > 0xffff_ffffn ? undefined : Number(value);
  }

  /** Reads a number, or its name in a table. */
  named(name: string, table: Readonly<Record<string, number>>): number | undefined {
    return table[this.text(name) ?? ''] ?? this.number(name);
  }

  bigs(name: string): readonly (bigint | undefined)[] {
    return listOf(this.#args[name]).map(bigOf);
  }

  texts(name: string): readonly TraceValue[] {
    return listOf(this.#args[name]);
  }

  map(name: string): CallArgs {
    const value = this.#args[name];
    return new CallArgs(isMap(value) ? value : {});
  }

  /** Gives as many bytes as asked for, and fills shorter text up with zeros. */
  bytes(name: string, length: number): Uint8Array {
    const digits = /^0x([0-9a-f]*)$/.exec(this.text(name) ?? '')?.[1] ?? '';
    return Uint8Array.from({ length }, (_, at) =>
      Number.parseInt(digits.slice(2 * at, 2 * at + 2) || '0', 16),
    );
  }

  /** Returns undefined when the entries are not in the trace. */
  cpuid(name = 'cpuid'): readonly CpuidEntry[] | undefined {
    const list = this.#args[name];
    if (!Array.isArray(list)) return undefined;
    const entries = list.map(entryOf);
    return entries.every((entry) => entry !== undefined) ? entries : undefined;
  }

  /**
   * Tells whether a copy faulted in the trace. The name is `cmd.read`, and `cmd.read#2` the second
   * time.
   */
  faulted(copy: string, time: number): boolean {
    return this.#faults.has(time === 1 ? copy : `${copy}#${time}`);
  }
}

function entryOf(value: TraceValue): CpuidEntry | undefined {
  if (!isMap(value)) return undefined;
  const entry = new CallArgs(value);
  const fields = ['function', 'index', 'flags', 'eax', 'ebx', 'ecx', 'edx'] as const;
  const numbers = fields.map((field) => [field, entry.number(field)] as const);
  return numbers.every(([, number]) => number !== undefined)
    ? (Object.fromEntries(numbers) as unknown as CpuidEntry)
    : undefined;
}

function isMap(value: TraceValue | undefined): value is TraceArgs {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function listOf(value: TraceValue | undefined): readonly TraceValue[] {
  return Array.isArray(value) ? value : [];
}

/** Reads a number of 64 bits. */
function bigOf(value: TraceValue | undefined): bigint | undefined {
  const isNumber = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
  const isText = typeof value === 'string' && /^0x[0-9a-f]{1,16}$/.test(value);
  return isNumber || isText ? BigInt(value) : undefined;
}
