/**
 * A fault of a rehearsal: one of the machine (docs/simulator.md), or the death of a process, which
 * closes all its files at once.
 *
 *     KVM_CREATE_VCPU#3=tdctl-dies        everything that tdctl runs, as the third ioctl begins
 *     KVM_ENABLE_CAP#7=source-dies        the process of the VM that has the TD
 *     KVM_ENABLE_CAP#7=destination-dies   the process of the VM that it moves to
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

export interface Death {
  readonly at: RequestName;
  readonly nth?: number;
  readonly dies: Who;
}

export type RehearsalFault = FaultRecord | Death;

export function isDeath(fault: RehearsalFault): fault is Death {
  return 'dies' in fault;
}

export function formatRehearsalFault(fault: RehearsalFault): string {
  if (!isDeath(fault)) return formatFault(fault);
  const { at, nth = 1, dies } = fault;
  return `${at}${nth === 1 ? '' : `#${nth}`}=${dies}-dies`;
}

export function parseRehearsalFault(text: string): RehearsalFault | FaultTextProblem {
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
    ...(nth === undefined || nth === '1' ? {} : { nth: Number(nth) }),
  };
}

export interface DeathInjector {
  readonly injector: FaultInjector;
  unmet(): readonly Death[];
}

/** Adds the deaths to the faults of an injector. */
export function deathInjector(
  deaths: readonly Death[],
  faults: FaultInjector,
  kill: (who: Who) => void,
): DeathInjector {
  if (deaths.length === 0) return { injector: faults, unmet: () => [] };
  const calls = new Map<string, number>();
  const met = new Set<Death>();
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
