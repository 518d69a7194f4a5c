/**
 * A fault of a rehearsal: one of the machine (docs/simulator.md), or the death of a process, which
 * closes all its files at once.
 *
 *     KVM_CREATE_VCPU#3=tdctl-dies        everything that tdctl runs, as the third ioctl begins
 *     KVM_ENABLE_CAP#7=source-dies        the process of the VM that has the TD
 *     KVM_ENABLE_CAP#7=destination-dies   the process of the VM that it moves to
 *
 * Where each TD has a keeper, a process of its own that writes a journal (`--processes`), a death is at a record:
 *
 *     RECORD#17=source-dies               the keeper that has the TD, as record 17 is written
 *     RECORD:web/2#9=command-dies         the command under way, at record 9 of the second keeper of web
 */
import type { RequestName } from '../../abi/kvm/requests.ts';
import {
  type FaultInjector,
  type FaultRecord,
  type FaultTextProblem,
  formatFault,
  parseFault,
} from '../../simulator/index.ts';
import type { Who } from '../world.ts';

export type Death = CallDeath | RecordDeath;

export interface CallDeath {
  readonly at: RequestName;
  readonly nth?: number;
  readonly dies: Who;
}

/** Which process is killed as a record is written. */
export type Victim = Who | 'command' | 'host';

export interface RecordDeath {
  readonly at: RecordPlace;
  readonly nth?: number;
  readonly dies: Victim;
}

/** Of the first keeper of the first TD, of the first one of a TD, or of another one of a TD, counted from 1. */
export type RecordPlace = 'RECORD' | `RECORD:${string}`;

export type RehearsalFault = FaultRecord | Death;

export function isDeath(fault: RehearsalFault): fault is Death {
  return 'dies' in fault;
}

export function isRecordDeath(fault: RehearsalFault): fault is RecordDeath {
  return isDeath(fault) && /^RECORD(:|$)/.test(fault.at);
}

export function isCallDeath(fault: RehearsalFault): fault is CallDeath {
  return isDeath(fault) && !isRecordDeath(fault);
}

export function formatRehearsalFault(fault: RehearsalFault): string {
  if (!isDeath(fault)) return formatFault(fault);
  const { at, nth = 1, dies } = fault;
  return `${at}${nth === 1 ? '' : `#${nth}`}=${dies}-dies`;
}

export function parseRehearsalFault(text: string): RehearsalFault | FaultTextProblem {
  const recordDeath = parseRecordDeath(text.trim());
  if (recordDeath !== undefined) return recordDeath;
  const [, at, nth, dies] =
    /^(KVM_[A-Z0-9_]+)(?:#([1-9]\d{0,8}))?=(tdctl|source|destination)-dies$/.exec(text.trim()) ??
    [];
  if (at === undefined) return parseFault(text);
  // The place is checked as the place of any other fault is.
  const place = parseFault(`${at}=EINTR`);
  if ('problem' in place) return place;
  return {
    at: at as RequestName,
    dies: dies as Who,
    ...nthOf(nth),
  };
}

function parseRecordDeath(text: string): RecordDeath | undefined {
  const [, at, nth, dies] =
    /^(RECORD(?::[a-z0-9][a-z0-9-]*(?:\/[1-9]\d{0,4})?)?)(?:#([1-9]\d{0,8}))?=(tdctl|source|destination|command|host)-dies$/.exec(
      text,
    ) ?? [];
  if (at === undefined) return undefined;
  return { at: at as RecordPlace, dies: dies as Victim, ...nthOf(nth) };
}

function nthOf(nth: string | undefined): { readonly nth?: number } {
  return nth === undefined || nth === '1' ? {} : { nth: Number(nth) };
}

export interface DeathInjector {
  readonly injector: FaultInjector;
  unmet(): readonly CallDeath[];
}

/** Adds the deaths to the faults of an injector. */
export function deathInjector(
  deaths: readonly CallDeath[],
  faults: FaultInjector,
  kill: (who: Who) => void,
): DeathInjector {
  if (deaths.length === 0) return { injector: faults, unmet: () => [] };
  const calls = new Map<string, number>();
  const met = new Set<CallDeath>();
  return {
    injector: {
      ...faults,
      beforeIoctl(request, machine) {
        const call = (calls.get(request) ?? 0) + 1;
        calls.set(request, call);
        const errno = faults.beforeIoctl?.(request, machine);
        for (const death of deaths) {
          if (death.at !== request || (death.nth ?? 1) !== call) continue;
          met.add(death);
          kill(death.dies);
          // Nobody is left to hear the answer, unless it was the other side that died.
          if (death.dies === 'tdctl') return 'EINTR';
        }
        return errno;
      },
    },
    unmet: () => deaths.filter((death) => !met.has(death)),
  };
}
