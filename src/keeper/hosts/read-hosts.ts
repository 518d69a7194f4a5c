/** Finds the shared hosts of a state directory by their files. No process is asked. */
import { readdirSync, readFileSync } from 'node:fs';
import { dnsLabel } from '../../documents/name.ts';
import { errnoOf } from '../../errors/errno.ts';
import { presenceOf, vantage } from '../presence.ts';
import type { StateDirectory } from '../state-directory.ts';
import { type HostFiles, type HostRecord, hostFiles, hostsPath } from './host-directory.ts';

/** The words are for who reads a list. */
export const hostStates = {
  serving: 'programs can join it',
  stopped: 'a signal has stopped its process (SIGSTOP)',
  starting: 'its process has not said yet what it is, or never came so far',
  lost: 'its process was killed, and all that was on it is gone',
} as const;

export type HostState = keyof typeof hostStates;

export interface FoundHost {
  readonly name: string;
  readonly state: HostState;
  readonly files: HostFiles;
  /** Undefined where its process has written none yet, or it cannot be read. */
  readonly record: HostRecord | undefined;
}

/** In the order of their names. */
export function readHosts(state: StateDirectory): readonly FoundHost[] {
  return namesIn(hostsPath(state))
    .filter((name) => dnsLabel.test(name))
    .sort()
    .map((name) => readHost(state, name))
    .filter((host) => host !== undefined);
}

/** @returns undefined where there is none. @throws TdctlError TDCTL_E_USAGE for what is no name. */
export function readHost(state: StateDirectory, name: string): FoundHost | undefined {
  const files = hostFiles(state, name);
  if (!namesIn(hostsPath(state)).includes(name)) return undefined;
  const record = readRecord(files.record);
  return { name, files, record, state: record === undefined ? 'starting' : stateOf(record) };
}

function stateOf({ server }: HostRecord): HostState {
  const presence = presenceOf(server, vantage());
  if (presence === 'stopped') return 'stopped';
  return presence === 'lives' || presence === 'elsewhere' ? 'serving' : 'lost';
}

function readRecord(path: string): HostRecord | undefined {
  try {
    const record: HostRecord = JSON.parse(readFileSync(path, 'utf8'));
    return typeof record?.server?.pid === 'number' ? record : undefined;
  } catch {
    return undefined;
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}
