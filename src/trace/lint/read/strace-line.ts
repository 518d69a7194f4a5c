/**
 * Parses one line of strace. The forms are those of strace(1), and of what strace 6.1 prints
 * (test/fixtures/traces).
 */

export type StraceLine =
  | {
      readonly kind: 'call';
      readonly pid: string;
      readonly name: string;
      readonly args: string;
      readonly answer: StraceAnswer;
    }
  | {
      readonly kind: 'unfinished';
      readonly pid: string;
      readonly name: string;
      readonly args: string;
    }
  | {
      readonly kind: 'resumed';
      readonly pid: string;
      readonly name: string;
      /** The part of the arguments that is left. */
      readonly args: string;
      readonly answer: StraceAnswer;
    }
  | { readonly kind: 'exit'; readonly pid: string }
  | { readonly kind: 'other' };

export type StraceAnswer =
  | { readonly value: number; readonly path: string | undefined }
  | { readonly errno: string }
  /** The answer is `?`: a signal came first, or the process ended in the call. */
  | { readonly unknown: true };

/** The prefix is `[pid 12] ` or `12 `, followed by a time of -t, -tt, -ttt or -r. */
const prefix =
  /^(?:\[pid +(\d+)\] +|(\d+) +)?(?:\d\d:\d\d:\d\d(?:\.\d+)? +|\d+\.\d+ +)?(?:\(\+ *[\d.]+\) +)?/;
const whole = /^(\w+)\((.*)\) += (.+)$/;
const unfinished = /^(\w+)\((.*) <unfinished \.\.\.>$/;
const resumed = /^<\.\.\. (\w+) resumed>(.*)\) += (.+)$/;
const exited = /^\+\+\+ (?:exited with|killed by) .*\+\+\+$/;

export function parseStraceLine(line: string): StraceLine {
  const start = prefix.exec(line);
  const pid = start?.[1] ?? start?.[2] ?? '';
  const text = line.slice(start?.[0].length ?? 0).trimEnd();
  if (exited.test(text)) return { kind: 'exit', pid };
  const begun = unfinished.exec(text);
  if (begun !== null)
    return { kind: 'unfinished', pid, name: begun[1] ?? '', args: begun[2] ?? '' };
  const ended = resumed.exec(text);
  const [, name = '', args = '', answerText = ''] = ended ?? whole.exec(text) ?? [];
  const answer = parseAnswer(answerText);
  if (answer === undefined) return { kind: 'other' };
  return { kind: ended === null ? 'call' : 'resumed', pid, name, args, answer };
}

/**
 * Examples are `0`, `3</dev/kvm>`, `-1 EINVAL (Invalid argument)` and `? ERESTARTSYS (…)`; -T adds `
 * <0.000012>`.
 */
const answerForm = /^(?:(\?)|(-?\d+|0x[0-9a-f]+)(?:<(.*?)>)?)(?: (E[A-Z0-9]+)\b)?/;

function parseAnswer(text: string): StraceAnswer | undefined {
  const match = answerForm.exec(text);
  if (match === null) return undefined;
  const [, unknown, value, path, errno] = match;
  if (unknown !== undefined) return { unknown: true };
  if (errno !== undefined) return { errno };
  return { value: Number(value), path };
}
