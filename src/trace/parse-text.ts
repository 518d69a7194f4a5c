/** This module reads the text form that text.ts writes. */
import { nestsTooDeep } from './nesting.ts';
import { checkedRecord } from './parse-json.ts';
import type { CallOutcome, TraceRecord, TraceValue } from './record.ts';
import { isUnreadable, TextScanner } from './text-scanner.ts';

type Parsed = { readonly record: TraceRecord } | { readonly problem: string };

/** @param next Gives the line after. It is called where CPUID entries follow a call. */
export function parseTextLine(text: string, next: () => string | undefined): Parsed {
  if (nestsTooDeep(text)) return { problem: 'nests too deeply for a record of a trace' };
  const scanner = new TextScanner(text, next);
  try {
    return checkedRecord(recordOf(scanner));
  } catch (error) {
    if (isUnreadable(error)) return { problem: error.message };
    throw error;
  }
}

/** @throws Unreadable */
function recordOf(scanner: TextScanner): unknown {
  if (scanner.skips('# tdctl trace ') || scanner.skips('# tdctl exec trace ')) {
    const version = scanner.value();
    scanner.expect(': ');
    return { kind: 'header', version, ...wholeLine(scanner) };
  }
  if (scanner.skips('# end: ')) return { kind: 'end', exit: wholeLine(scanner) };
  if (scanner.skips('-- last close of ')) {
    const [object, duration] = timed(scanner.rest());
    return { kind: 'close', object, ...duration };
  }
  if (scanner.skips('  cpu')) return leafOf(scanner);
  const thread = scanner.upTo('  ');
  if (scanner.skips('open("/dev/kvm") = ')) {
    return { kind: 'open', thread, outcome: answerOf(scanner.rest(), scanner) };
  }
  const object = scanner.upTo('.');
  const request = scanner.upTo('(');
  const args = scanner.fields(')');
  scanner.expect(' = ');
  const [answer, duration] = timed(scanner.rest());
  const outcome = answerOf(answer, scanner);
  return { kind: 'call', thread, object, request, args, outcome, ...duration };
}

/** Splits a text from the duration at its end. */
function timed(text: string): [string, { readonly durationNs?: number }] {
  const found = / <(\d+)ns>$/.exec(text);
  return found === null
    ? [text, {}]
    : [text.slice(0, found.index), { durationNs: Number(found[1]) }];
}

const leafAnswer =
  /^(TDX_SUCCESS|0x[0-9a-f]+)(?: \([A-Z0-9_|]*\))?(?: check=([a-z0-9.-]+))?(?: (.*))?$/;

/** @throws Unreadable */
function leafOf(scanner: TextScanner): unknown {
  const cpu = Number(scanner.upTo(' '));
  const leaf = scanner.upTo('(');
  const operands = scanner.fields(')');
  scanner.expect(' = ');
  const [answer, duration] = timed(scanner.rest());
  const [, status, check, rest = ''] =
    leafAnswer.exec(answer) ?? scanner.fail('a status is missing');
  const outputs = new TextScanner(rest, () => undefined).fields('');
  const word = status === 'TDX_SUCCESS' ? '0x0' : status;
  const refusedBy = check === undefined ? {} : { check };
  return {
    kind: 'seamcall',
    cpu,
    leaf,
    operands,
    status: word,
    ...refusedBy,
    outputs,
    ...duration,
  };
}

function wholeLine(scanner: TextScanner): Readonly<Record<string, TraceValue>> {
  return scanner.fields('');
}

const errnoText =
  /^(E[A-Z0-9]+)(?: check=([a-z0-9.-]+))?(?: hw_error=(0x[0-9a-f]{1,16})(?: \([A-Z0-9_|]*\))?)?$/;
const madeText = /^fd \[(.+)\]$/;

/** @throws Unreadable */
function answerOf(text: string, scanner: TextScanner): CallOutcome {
  if (text === 'interrupted') return { interrupted: true };
  if (/^-?\d+$/.test(text)) return { value: Number(text) };
  const made = madeText.exec(text)?.[1];
  if (made !== undefined) return { value: 0, made };
  const [, errno, check, hwError] = errnoText.exec(text) ?? scanner.fail('an answer is missing');
  return {
    errno,
    ...(check === undefined ? {} : { check }),
    ...(hwError === undefined ? {} : { hwError }),
  } as CallOutcome;
}
