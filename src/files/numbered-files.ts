/**
 * Files of one directory whose names are numbers, as several processes keep them. Each is there whole or not at
 * all, and none replaces another.
 */
import { mkdirSync, readdirSync, readFileSync, truncateSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../errors/errno.ts';
import { findTarget } from './target.ts';
import { makeTemporary, removeAbandoned } from './temporary.ts';

export interface NumberedFiles {
  /** In order. None where the directory is not there. */
  numbers(): Promise<number[]>;
  /** Undefined where it is not there any more. */
  read(number: number): Promise<string | undefined>;
  /** False where the number is taken. It makes the directory too. */
  create(number: number, content: string): Promise<boolean>;
  /** Takes the content out of it, for which a full disk has room too. */
  empty(number: number): Promise<void>;
  remove(number: number): Promise<void>;
}

/** Everything throws the errors of the system calls, but for files that are not there any more. */
export function numberedFiles(directory: string): NumberedFiles {
  const path = (number: number) => join(directory, String(number));
  return {
    numbers: async () =>
      (unlessGone(() => readdirSync(directory)) ?? [])
        .filter((name) => /^[1-9]\d{0,14}$/.test(name))
        .map(Number)
        .sort((one, other) => one - other),
    read: async (number) => unlessGone(() => readFileSync(path(number), 'utf8')),
    create: async (number, content) => {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      removeAbandoned(directory);
      const target = findTarget(path(number));
      if (target.kind !== 'file' || target.stats !== undefined) return false;
      const temporary = makeTemporary(target);
      try {
        temporary.fill(content);
        return temporary.becomeTarget();
      } finally {
        temporary.remove();
      }
    },
    empty: async (number) => unlessGone(() => truncateSync(path(number), 0)),
    remove: async (number) => unlessGone(() => unlinkSync(path(number))),
  };
}

function unlessGone<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
