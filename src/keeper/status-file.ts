/**
 * Reads `status.json` without a library: `tdctl list` reads a thousand of them. What is looked at is what readers
 * rely on; a file that is not so is damaged, or of a tdctl to come.
 */
import { readFileSync } from 'node:fs';
import { errnoOf } from '../errors/errno.ts';
import type { StatusFile } from './status.ts';

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
  const problem = firstProblem(value, statusShape, '');
  return problem === undefined ? { kind: 'read', file: value as StatusFile } : damaged(problem);
}

function damaged(why: string): StatusRead {
  return { kind: 'damaged', why };
}

/** What a field must be. With `null` in it, the field may be null; the fields within are looked at where it is not. */
type Shape = string | { readonly [field: string]: Shape } | readonly [null, Shape];

const moment: Shape = { at: 'string', uptimeMs: 'number' };
const statusShape: Shape = {
  keeper: {
    pid: 'number',
    startTime: 'string',
    bootId: 'string',
    pidNamespace: 'string',
    tdctl: 'string',
    api: { oldest: 'number', newest: 'number' },
    startedAt: 'string',
  },
  life: 'number',
  td: [
    null,
    {
      name: 'string',
      labels: {},
      state: 'string',
      since: moment,
      createdAt: 'string',
      host: { name: 'string', simulated: 'boolean' },
      kernel: [null, 'string'],
      vcpus: [null, 'number'],
      memoryBytes: [null, 'number'],
      holdsKeySlot: 'boolean',
      seq: 'number',
    },
  ],
};

function firstProblem(value: unknown, shape: Shape, place: string): string | undefined {
  if (typeof shape === 'string') {
    return typeof value === shape ? undefined : `${place} is no ${shape}`;
  }
  if (isNullable(shape)) return value === null ? undefined : firstProblem(value, shape[1], place);
  if (typeof value !== 'object' || value === null) return `${place || 'it'} is no object`;
  for (const field in shape) {
    const within = place === '' ? field : `${place}.${field}`;
    const problem = firstProblem(Reflect.get(value, field), shape[field] as Shape, within);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function isNullable(shape: Shape): shape is readonly [null, Shape] {
  return Array.isArray(shape);
}
