/** What is rehearsed: TDs, and what is done with them in order. All of it is plain data. */
import type { Verdict } from '../../machines/intra-host-migration/index.ts';
import type { TdPlan } from '../plan/index.ts';

export interface Scenario {
  readonly name: string;
  /** How each TD is made, by its name. */
  readonly tds: ReadonlyMap<string, TdPlan>;
  readonly operations: readonly Operation[];
  /** Whether tdctl refuses beforehand what a kernel would get wrong, or lets the kernel answer. */
  readonly checks: 'all' | 'none';
  /** TDs of others leave so many key slots free from the start; undefined leaves the host as it is. */
  readonly slotsLeft?: number | undefined;
  /** What the scenario was made from, unless it comes from a file. */
  readonly standard?: StandardOptions | undefined;
}

export type Operation =
  | ProvisionOperation
  | { readonly do: 'pause'; readonly td: string }
  | { readonly do: 'resume'; readonly td: string }
  | MigrateOperation
  | { readonly do: 'stop'; readonly td: string }
  | { readonly do: 'update-module' }
  | { readonly do: 'together'; readonly operations: readonly Operation[] };

export interface ProvisionOperation {
  readonly do: 'provision';
  readonly td: string;
  /** With `refused`, the TD must not come to be, and must leave nothing. */
  readonly expect?: 'done' | 'refused' | undefined;
}

export interface MigrateOperation {
  readonly do: 'migrate';
  readonly td: string;
  /** The number of vCPUs of the destination, where it is not that of the source. */
  readonly vcpus?: number | undefined;
  /** The misc cgroup of the destination's process, with the most TDs it allows. */
  readonly cgroup?: { readonly path: string; readonly max?: number | undefined } | undefined;
  /** What must come of it; another verdict is a failed expectation. */
  readonly expect?: Verdict | undefined;
}

export type SingleOperation = Exclude<Operation, { readonly do: 'together' }>;

/** The operations of `together` stand one by one. */
export function singleOperations(operations: readonly Operation[]): readonly SingleOperation[] {
  return operations.flatMap((operation) =>
    operation.do === 'together' ? singleOperations(operation.operations) : [operation],
  );
}

export interface StandardOptions {
  readonly plan: TdPlan;
  readonly count: number;
  readonly hops: number;
  readonly checks: Scenario['checks'];
  readonly slotsLeft?: number | undefined;
  readonly destinationVcpus?: number | undefined;
}

/** `count` TDs, each of which is moved `hops` times. */
export function standardScenario(standard: StandardOptions): Scenario {
  const { plan, count, hops, checks, slotsLeft, destinationVcpus: vcpus } = standard;
  const names = Array.from({ length: count }, (_, index) =>
    count === 1 ? plan.spec.name : `${plan.spec.name}-${index + 1}`,
  );
  const each = (operation: (td: string) => Operation) => names.map(operation);
  return {
    name: plan.spec.name,
    tds: new Map(names.map((name) => [name, named(plan, name)])),
    operations: [
      ...each((td) => ({ do: 'provision', td })),
      ...Array.from({ length: hops }, () => each((td) => ({ do: 'migrate', td, vcpus }))).flat(),
      ...each((td) => ({ do: 'stop', td })),
    ],
    checks,
    slotsLeft,
    standard,
  };
}

/** The same with fewer TDs and moves, the smallest first. A scenario from a file has no smaller ones. */
export function* smallerScenarios({ standard }: Scenario): IterableIterator<Scenario> {
  if (standard === undefined) return;
  const { count: tds, hops: moves } = standard;
  for (const count of new Set([...doublings(1, tds), tds])) {
    for (const hops of new Set([0, ...doublings(1, moves), moves])) {
      if (count === tds && hops === moves) continue;
      yield standardScenario({ ...standard, count, hops });
    }
  }
}

/** The numbers `start`, twice that, four times that and so on, below `end`. */
function doublings(start: number, end: number): number[] {
  return start < end ? [start, ...doublings(start * 2, end)] : [];
}

function named(plan: TdPlan, name: string): TdPlan {
  return { ...plan, spec: { ...plan.spec, name } };
}
