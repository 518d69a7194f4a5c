/**
 * Reads `status.json` without a library: `tdctl list` reads a thousand of them. What is looked at is what readers
 * rely on; a file that is not so is damaged, or of a tdctl to come.
 */
import { readFileSync } from 'node:fs';
import type { ErrorInWords } from '../diagnosis/refusals.ts';
import { errnoOf } from '../errors/errno.ts';
import { keptStateNamed } from './chart-state.ts';
import type { StatusFile, StatusRecord } from './status.ts';

export type StatusRead =
  | { readonly kind: 'read'; readonly file: StatusFile }
  | { readonly kind: 'absent' }
  | { readonly kind: 'damaged'; readonly why: string };

export function readStatus(path: string): StatusRead {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT') return { kind: 'absent' };
    return damaged(`it cannot be read (${errno ?? 'no errno'})`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return damaged(text === '' ? 'it is empty' : 'it is no JSON');
  }
  const problem = problemOf(value as Partial<StatusFile> | null);
  return problem === undefined ? { kind: 'read', file: value as StatusFile } : damaged(problem);
}

function damaged(why: string): StatusRead {
  return { kind: 'damaged', why };
}

type Fields = readonly (readonly [string, 'string' | 'number' | 'boolean' | 'object'])[];

const keeperFields: Fields = [
  ['pid', 'number'],
  ['startTime', 'string'],
  ['bootId', 'string'],
  ['pidNamespace', 'string'],
  ['tdctl', 'string'],
  ['api', 'object'],
  ['startedAt', 'string'],
];
const tdFields: Fields = [
  ['labels', 'object'],
  ['state', 'string'],
  ['since', 'object'],
  ['createdAt', 'string'],
  ['host', 'object'],
  ['holdsKeySlot', 'boolean'],
  ['leftovers', 'object'],
  ['seq', 'number'],
];

function problemOf(file: Partial<StatusFile> | null): string | undefined {
  if (typeof file !== 'object' || file === null) return 'it is no object';
  const { version, keeper, life, td } = file;
  if (version !== 1) return 'it is of another version of tdctl';
  if (typeof life !== 'number') return 'life is no number';
  return problemIn(keeper, keeperFields) ?? (td === null ? undefined : problemOfTd(td));
}

function problemOfTd(td: Partial<StatusRecord> | undefined): string | undefined {
  const problem = problemIn(td, tdFields);
  if (problem !== undefined) return problem;
  const { since, state, leftovers } = td as StatusRecord;
  if (typeof since.at !== 'string' || typeof since.uptimeMs !== 'number') return 'since is no time';
  if (keptStateNamed(state) === undefined) return 'its state is one of another version of tdctl';
  const areErrors = Array.isArray(leftovers) && leftovers.every(isError);
  return areErrors ? undefined : 'leftovers are no errors';
}

function isError(value: ErrorInWords | null): boolean {
  return typeof value?.message === 'string';
}

function problemIn(value: unknown, fields: Fields): string | undefined {
  if (typeof value !== 'object' || value === null) return 'a part of it is missing';
  const record = value as Readonly<Record<string, unknown>>;
  for (const [field, type] of fields) {
    const found = record[field];
    if (found === null || typeof found !== type) return `${field} is no ${type}`;
  }
  return undefined;
}
