/** Who keeps a TD: a process that cannot be mistaken for a later one with its number. */
import { readlinkSync } from 'node:fs';
import { bootId } from './moment.ts';
import { readProcess } from './process-stat.ts';

/** It stands in `status.json`, and in the journal at the beginning of each life. */
export interface KeeperIdentity {
  readonly version: 1;
  readonly pid: number;
  /** Field 22 of /proc/PID/stat as it stands there: clock ticks since boot. */
  readonly startTime: string;
  /** /proc/sys/kernel/random/boot_id. */
  readonly bootId: string;
  /** The PID namespace that `pid` is a number of, as `/proc/self/ns/pid` names it. */
  readonly pidNamespace: string;
  readonly uid: number;
  /** The version of tdctl that keeps it. */
  readonly tdctl: string;
  /** The versions of the API that it speaks. */
  readonly api: ApiRange;
  readonly chartVersion: number;
  readonly startedAt: string;
  /** The name of its systemd unit. */
  readonly unit?: string | undefined;
}

export interface ApiRange {
  readonly oldest: number;
  readonly newest: number;
}

/** `GET /v1` and what follows it. A change that an older client would misread makes a new version. */
export const apiRange: ApiRange = { oldest: 1, newest: 1 };

/** The identity of the process that asks. */
export function ownIdentity(
  of: Pick<KeeperIdentity, 'tdctl' | 'chartVersion' | 'unit'>,
): KeeperIdentity {
  return {
    version: 1,
    pid: process.pid,
    startTime: readProcess(process.pid)?.startTime ?? '',
    bootId: bootId(),
    pidNamespace: pidNamespace(),
    uid: process.geteuid?.() ?? 0,
    api: apiRange,
    startedAt: new Date().toISOString(),
    ...of,
  };
}

export function pidNamespace(): string {
  return readlinkSync('/proc/self/ns/pid');
}
