/** The files of one kept TD, and what it may be called. */
import { dnsLabel, dnsLabelProblem } from '../documents/name.ts';
import { TdctlError } from '../errors/index.ts';
import { sanitize } from '../errors/sanitize.ts';
import { randomSuffix } from '../files/random-suffix.ts';
import type { StateDirectory } from './state-directory.ts';

/** Names in the directory of a TD, and what each file is. */
export const tdFileNames = {
  lock: 'lock',
  request: 'request.json',
  spec: 'td.yaml',
  status: 'status.json',
  journal: 'journal',
  socket: 'control.sock',
  console: 'console.log',
  log: 'keeper.log',
  /** Of a TD that QEMU has. */
  monitor: 'qmp.sock',
  serial: 'serial.sock',
  vmmLog: 'vmm.log',
  /** Of the life before. */
  journalBefore: 'journal.previous',
  consoleBefore: 'console.log.previous',
  /** Of the keeper that the TD is to move to, until it has the others. */
  nextLock: 'next.lock',
  nextStatus: 'next.json',
  nextJournal: 'next.journal',
  /** Where fds are passed to it. */
  nextSocket: 'next.sock',
} as const;

export type TdFiles = Readonly<Record<'directory' | keyof typeof tdFileNames, string>>;

/** @throws TdctlError TDCTL_E_USAGE for what is no name. */
export function tdFiles(state: StateDirectory, name: string): TdFiles {
  checkTdName(name);
  const directory = state.tdPath(name);
  const paths = Object.entries(tdFileNames).map(([key, file]) => [key, `${directory}/${file}`]);
  return { directory, ...Object.fromEntries(paths) };
}

/** @throws TdctlError TDCTL_E_USAGE. */
export function checkTdName(name: string, what = 'TD'): void {
  if (dnsLabel.test(name)) return;
  const shown = name.length > 80 ? `${name.slice(0, 77)}… (${name.length} characters)` : name;
  throw new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: `look for a ${what} by its name`,
    message: `the name of a ${what} ${dnsLabelProblem}; this is ${JSON.stringify(sanitize(shown))}`,
    hint: `\`tdctl ${what === 'TD' ? '' : 'host '}list\` has the names of those that are here`,
  });
}

/** Directories on their way in and out. The name of a TD begins with no dot. */
export const makingPrefix = '.making-';
export const removingPrefix = '.removing-';

const suffixLength = '-01234567'.length;

/** The name that the directory of a TD has meanwhile, which nobody else gives. */
export function passingName(prefix: string, name: string): string {
  return `${prefix}${name}-${randomSuffix()}`;
}

/** What a directory gets to be called as it is removed. @param parent that it stands in. */
export function removingPath(parent: string, name: string): string {
  return `${parent}/${passingName(removingPrefix, name)}`;
}

/** @param name of the TD; any where none is given. */
export function isPassing(entry: string, prefix: string, name: string | undefined): boolean {
  if (!entry.startsWith(prefix)) return false;
  return name === undefined || entry.slice(prefix.length, -suffixLength) === name;
}
