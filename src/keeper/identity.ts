/** Who keeps a TD: a process that cannot be mistaken for a later one with its number. */
import { readlinkSync } from 'node:fs';
import { bootId } from './moment.ts';
import { readProcess } from './process-stat.ts';

/** A process of tdctl that others find by what it wrote of itself. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat as it stands there: clock ticks since boot. */
  readonly startTime: string;
  /** /proc/sys/kernel/random/boot_id. */
  readonly bootId: string;
  /** The PID namespace that `pid` is a number of, as `/proc/self/ns/pid` names it. */
  readonly pidNamespace: string;
  readonly uid: number;
  /** Its version of tdctl. */
  readonly tdctl: string;
  readonly startedAt: string;
}

/** It stands in `status.json`, and in the journal at the beginning of each life. */
export interface KeeperIdentity extends ProcessIdentity {
  readonly version: 1;
  /** The versions of the API that it speaks. */
  readonly api: ApiRange;
  readonly chartVersion: number;
  /** The name of its systemd unit. */
  readonly unit?: string | undefined;
}

/** The process of a VMM, written down before its program begins. */
export interface VmmIdentity
  extends Pick<ProcessIdentity, 'pid' | 'startTime' | 'bootId' | 'pidNamespace'> {
  /** It says the same over its monitor. */
  readonly uuid: string;
  /** The context ID of its guest, which is no other TD's until this one is over. */
  readonly vsockCid?: number | undefined;
}

/** Two that were written down, of one boot: a number alone may be another process's by now. */
export function isSameProcess(
  one: Pick<ProcessIdentity, 'pid' | 'startTime'> | undefined,
  other: Pick<ProcessIdentity, 'pid' | 'startTime'> | undefined,
): boolean {
  return one?.pid === other?.pid && one?.startTime === other?.startTime;
}

export interface ApiRange {
  readonly oldest: number;
  readonly newest: number;
}

/** `GET /v1` and what follows it. A change that an older client would misread makes a new version. */
export const apiRange: ApiRange = { oldest: 1, newest: 1 };

/** The identity of the process that asks. */
export function ownIdentity({
  tdctl,
  ...of
}: Pick<KeeperIdentity, 'tdctl' | 'chartVersion' | 'unit'>): KeeperIdentity {
  return { version: 1, ...ownProcess(tdctl), api: apiRange, ...of };
}

export function ownProcess(tdctl: string): ProcessIdentity {
  return {
    ...thisOrChild(process.pid),
    uid: process.geteuid?.() ?? 0,
    tdctl,
    startedAt: new Date().toISOString(),
  };
}

/** What cannot be mistaken for a later process, of this one or of one that it has not waited for. */
export function thisOrChild(pid: number) {
  const startTime = readProcess(pid)?.startTime ?? '';
  return { pid, startTime, bootId: bootId(), pidNamespace: pidNamespace() };
}

export function pidNamespace(): string {
  return readlinkSync('/proc/self/ns/pid');
}
