/** `spec.qemu.extraArgs`: words for QEMU that must not take back what tdctl says. */
import type { Parsed, Problem } from '../documents/parsed.ts';
import { refused } from '../documents/parsed.ts';
import { describeValue } from '../documents/wording.ts';

/** What tdctl says by each option, or what the option would break. */
const ours: Readonly<Record<string, string>> = {
  M: 'the machine is tdctl’s own: q35 with the TD in it',
  machine: 'the machine is tdctl’s own: q35 with the TD in it',
};

export function parseExtraArgs(value: unknown): Parsed<readonly string[]> {
  if (!Array.isArray(value)) {
    return refused(`must be a list of words; this is ${describeValue(value)}`);
  }
  const problems = value.flatMap((word: unknown, item): Problem[] => {
    const text = problemOf(word);
    return text === undefined ? [] : [{ text, item }];
  });
  return problems.length > 0 ? { problems } : { value: value as string[] };
}

function problemOf(word: unknown): string | undefined {
  if (typeof word !== 'string') return `must be text; this is ${describeValue(word)}`;
  if (word.includes('\0')) return 'must not contain a NUL character';
  const [, option = ''] = /^--?([A-Za-z0-9-]+)$/.exec(word) ?? [];
  const why = ours[option];
  return why === undefined ? undefined : `contradicts what tdctl sets: ${why}`;
}
