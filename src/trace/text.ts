/**
 * The text form of a trace is made for reading and for diff. Each record is one line. The CPUID
 * entries of a call follow it on lines of their own, so that a diff shows the one that differs.
 *
 *     T1  vm#1.KVM_TDX_INIT_VM(flags=0x0, attributes=0x10000000, xfam=0x3, nent=2, cpuid=[2 lines]) = 0
 *           cpuid 0x1.0 eax=0xa10f11 ebx=0x0 ecx=0x46faa217 edx=0x17abfbff
 *           cpuid 0x7.1 flags=1 eax=0x0 ebx=0x219426c3 ecx=0x0 edx=0xdc000410
 */
import { decodeStatus } from '../abi/tdx/status.ts';
import type {
  CallOutcome,
  StateRecord,
  TraceArgs,
  TraceCpuidEntry,
  TraceRecord,
  TraceValue,
} from './record.ts';

/** Gives the lines of one record, without the last line end. */
export function traceText(record: TraceRecord): string {
  const lines: string[] = [];
  const show = (value: TraceValue) => valueText(value, lines);
  switch (record.kind) {
    case 'header': {
      const { kind: _, version, ...about } = record;
      return `# tdctl trace ${version}: ${fieldsText(about, show)}`;
    }
    case 'open':
      return `${record.thread}  open("/dev/kvm") = ${outcomeText(record.outcome)}`;
    case 'call': {
      const { thread, object, request, args, outcome } = record;
      const call = `${thread}  ${object}.${request}(${fieldsText(args, show)})`;
      const answer = `${outcomeText(outcome)}${durationText(record)}`;
      return [`${call} = ${answer}`, ...lines].join('\n');
    }
    case 'close':
      return `-- last close of ${record.object}${durationText(record)}`;
    case 'seamcall': {
      const { cpu, leaf, operands, status, check, outputs } = record;
      const shown = fieldsText(outputs, show);
      const answer = `${statusText(status)}${checkText(check)}${shown === '' ? '' : ` ${shown}`}`;
      return `  cpu${cpu} ${leaf}(${fieldsText(operands, show)}) = ${answer}${durationText(record)}`;
    }
    case 'event':
      return `-- ${record.td} ${stateText(record)}`;
    case 'end':
      return `# end: ${fieldsText(record.exit, show)}`;
  }
}

function outcomeText(outcome: CallOutcome): string {
  if ('interrupted' in outcome) return 'interrupted';
  if ('value' in outcome) {
    return outcome.made === undefined ? String(outcome.value) : `fd [${outcome.made}]`;
  }
  const { errno, check, hwError } = outcome;
  return `${errno}${checkText(check)}${hwError === undefined ? '' : ` hw_error=${hwError}${statusNote(hwError)}`}`;
}

function checkText(check: string | undefined): string {
  return check === undefined ? '' : ` check=${check}`;
}

function durationText({ durationNs }: { readonly durationNs?: number }): string {
  return durationNs === undefined ? '' : ` <${durationNs}ns>`;
}

function statusText(status: string): string {
  return status === '0x0' ? 'TDX_SUCCESS' : `${status}${statusNote(status)}`;
}

function stateText({ event, state, step, result, outcome }: StateRecord): string {
  if (event === 'state.entered') return `-> ${state}`;
  return event === 'step.ended' ? `${step} ${result}` : `ended ${outcome}`;
}

/** The note is for people only; the number before it is what counts. */
function statusNote(hwError: string): string {
  const { name, operand } = decodeStatus(BigInt(hwError));
  if (name === undefined) return '';
  return ` (${operand === undefined ? name : `${name}|${operand}`})`;
}

/** Text of this form needs no quotes, because it cannot be taken for anything else. */
export const bareText = /^(?!(?:true|false|null)$)(?:[A-Za-z_][\w.#:/+@-]*|0x[0-9a-f]+)$/;

function fieldsText(fields: TraceArgs | object, show: (value: TraceValue) => string): string {
  return Object.entries(fields)
    .map(([name, value]) => `${textValue(name)}=${show(value as TraceValue)}`)
    .join(', ');
}

function valueText(value: TraceValue, lines: string[]): string {
  if (typeof value === 'string') return textValue(value);
  if (isCpuid(value)) {
    lines.push(...value.map(cpuidLine));
    return `[${value.length} lines]`;
  }
  const show = (inner: TraceValue) => valueText(inner, lines);
  if (isList(value)) return `[${value.map(show).join(', ')}]`;
  if (typeof value === 'object' && value !== null) return `{${fieldsText(value, show)}}`;
  return JSON.stringify(value);
}

function isList(value: TraceValue): value is readonly TraceValue[] {
  return Array.isArray(value);
}

function textValue(text: string): string {
  return bareText.test(text) ? text : JSON.stringify(text);
}

const registers = ['eax', 'ebx', 'ecx', 'edx'] as const;
const hexText = /^0x[0-9a-f]+$/;

function isCpuid(value: TraceValue): value is readonly (TraceCpuidEntry & TraceValue)[] {
  return Array.isArray(value) && value.length > 0 && value.every(isCpuidEntry);
}

function isCpuidEntry(value: TraceValue): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const entry = value as Partial<TraceCpuidEntry>;
  return (
    Object.keys(value).join() === 'function,index,flags,eax,ebx,ecx,edx' &&
    [entry.index, entry.flags].every((number) => isCount(number)) &&
    [entry.function, ...registers.map((register) => entry[register])].every(
      (text) => typeof text === 'string' && hexText.test(text),
    )
  );
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0 && !Object.is(value, -0);
}

function cpuidLine(entry: TraceCpuidEntry): string {
  const flags = entry.flags === 0 ? '' : ` flags=${entry.flags}`;
  const shown = registers.map((register) => `${register}=${entry[register]}`).join(' ');
  return `      cpuid ${entry.function}.${entry.index}${flags} ${shown}`;
}
