/**
 * A trace as text lines and as JSON lines. The format is documented in docs/simulator.md; both are
 * stable, so two traces can be compared with `diff`.
 */
import { decodeStatus, type StatusName } from '../abi/tdx/status.ts';
import type { TraceEvent } from './trace.ts';
import type { Copy } from './trace-copies.ts';

/**
 * One line. Leaves are indented, because they belong to the ioctl or release that follows:
 *
 *       cpu0 TDH.MR.FINALIZE(rcx=0x1000) = TDX_SUCCESS <5000ns>
 *     2 KVM_TDX_FINALIZE_VM(cmd={data=0x0, flags=0, hwError=0x0, id=4} -> …) = 0 <7000ns>
 */
export function traceLine(event: TraceEvent): string {
  const duration = `<${event.durationNs}ns>`;
  switch (event.kind) {
    case 'seamcall': {
      const outputs = listed(event.outputs);
      const answer = [statusText(event.status), ...(outputs === '' ? [] : [outputs])].join(' ');
      const call = `${event.leaf}(${listed(event.operands, registerText)})`;
      return `  cpu${event.logicalCpu} ${call} = ${answer} ${duration}`;
    }
    case 'ioctl': {
      const { request: name, ...args } = event.request;
      const shown = Object.entries(args).map(([field, value]) =>
        event.copies[field] === undefined
          ? `${field}=${text(value)}`
          : `${field}=${copiesText(event.copies[field])}`,
      );
      return `${event.handle} ${name}(${shown.join(', ')}) = ${answerText(event.answer)} ${duration}`;
    }
    case 'release':
      return `${event.handle} release ${duration}`;
  }
}

/** One JSON object: bigints as hex text, bytes as in the text form. */
export function traceJson(event: TraceEvent): string {
  return JSON.stringify(jsonOf(event));
}

function jsonOf(event: TraceEvent): unknown {
  const { timeNs, durationNs } = event;
  switch (event.kind) {
    case 'seamcall':
      return plain({
        kind: event.kind,
        timeNs,
        durationNs,
        leaf: event.leaf,
        logicalCpu: event.logicalCpu,
        operands: event.operands,
        status: event.status,
        statusName: decodeStatus(event.status).name ?? null,
        check: event.check,
        outputs: event.outputs,
      });
    case 'ioctl': {
      const { request: name, ...args } = event.request;
      const values = Object.entries(args).filter(([field]) => event.copies[field] === undefined);
      return plain({
        kind: event.kind,
        timeNs,
        durationNs,
        handle: event.handle,
        request: name,
        args: Object.fromEntries(values),
        copies: event.copies,
        answer: event.answer,
      });
    }
    case 'release':
      return { kind: event.kind, timeNs, durationNs, handle: event.handle };
  }
}

function answerText(answer: Extract<TraceEvent, { kind: 'ioctl' }>['answer']): string {
  if (answer.ok) return String(answer.value);
  return answer.hwError === undefined
    ? answer.errno
    : `${answer.errno} hw_error=${statusText(answer.hwError)}`;
}

function statusText(status: bigint): string {
  const { name, operand } = decodeStatus(status);
  const known: StatusName | undefined = name;
  if (known === undefined) return hex(status);
  return operand === undefined ? known : `${known}|${operand}`;
}

/** `{…}` as copied in, `-> {…}` as written back. */
function copiesText(copies: readonly Copy[]): string {
  if (copies.length === 0) return 'not read';
  return copies
    .map(({ access, value }) => {
      const shown = value === undefined ? 'EFAULT' : text(value);
      return access.startsWith('write') ? `-> ${shown}` : shown;
    })
    .join(' ');
}

function listed(values: Readonly<Record<string, unknown>>, show = text): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${show(value)}`)
    .join(', ');
}

/** The model keeps addresses as numbers; in a register they read as addresses. */
function registerText(value: unknown): string {
  return typeof value === 'number' ? `0x${value.toString(16)}` : text(value);
}

/** Longer lists are shown by their length and digest, as bytes are. */
const longestList = 4;

function text(value: unknown): string {
  if (typeof value === 'bigint') return hex(value);
  if (value instanceof Uint8Array) return bytesText(value);
  if (Array.isArray(value)) {
    return value.length <= longestList
      ? `[${value.map(text).join(', ')}]`
      : `[${value.length} entries ${digest(value.map(text).join())}]`;
  }
  if (typeof value === 'object' && value !== null) {
    return `{${listed(sorted(value))}}`;
  }
  return String(value);
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return hex(value);
  if (value instanceof Uint8Array) return bytesText(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
}

/** A struct's fields by name: how a caller put it together must not show in a diff. */
function sorted(struct: object): Record<string, unknown> {
  const byName = ([one]: [string, unknown], [other]: [string, unknown]) => (one < other ? -1 : 1);
  return Object.fromEntries(Object.entries(struct).sort(byName));
}

function bytesText(bytes: Uint8Array): string {
  if (bytes.every((byte) => byte === 0)) return `${bytes.length} zero bytes`;
  return `${bytes.length} bytes ${digest(bytes)}`;
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** FNV-1a, 32 bits: tells two contents apart in a diff, and is no measurement. */
function digest(content: Uint8Array | string): string {
  const units = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  let hash = 0x811c9dc5;
  for (const unit of units) hash = Math.imul(hash ^ unit, 0x01000193);
  return `#${(hash >>> 0).toString(16).padStart(8, '0')}`;
}
