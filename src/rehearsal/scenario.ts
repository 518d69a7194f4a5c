/** What is rehearsed: TDs, and what is done with them in order. Plain data. */
import type { Verdict } from '../../machines/intra-host-migration/index.ts';
import type { TdPlan } from '../plan/index.ts';

export interface Scenario {
  readonly name: string;
  /** By name: how each TD is made. */
  readonly tds: ReadonlyMap<string, TdPlan>;
  readonly operations: readonly Operation[];
  /** Whether tdctl refuses beforehand what a kernel would get wrong, or lets the kernel answer. */
  readonly checks: 'all' | 'none';
  /** Key slots that TDs of others leave free, before anything else; undefined: as the host has it. */
  readonly slotsLeft?: number | undefined;
}

export type Operation =
  | { readonly do: 'provision'; readonly td: string }
  | { readonly do: 'pause'; readonly td: string }
  | { readonly do: 'resume'; readonly td: string }
  | MigrateOperation
  | { readonly do: 'stop'; readonly td: string }
  | { readonly do: 'update-module' }
  | { readonly do: 'together'; readonly operations: readonly Operation[] };

export interface MigrateOperation {
  readonly do: 'migrate';
  readonly td: string;
  /** vCPUs of the destination, where they are not those of the source. */
  readonly vcpus?: number | undefined;
  /** misc cgroup of the destination's process, with the most TDs it allows. */
  readonly cgroup?: { readonly path: string; readonly max?: number | undefined } | undefined;
  /** What must come of it; another verdict is a failed expectation. */
  readonly expect?: Verdict | undefined;
}

export type SingleOperation = Exclude<Operation, { readonly do: 'together' }>;

/** Those of `together` one by one. */
export function singleOperations(operations: readonly Operation[]): readonly SingleOperation[] {
  return operations.flatMap((operation) =>
    operation.do === 'together' ? singleOperations(operation.operations) : [operation],
  );
}

/** One TD, moved `hops` times, `count` times over. */
export function standardScenario(options: {
  readonly plan: TdPlan;
  readonly count: number;
  readonly hops: number;
  readonly checks: Scenario['checks'];
  readonly slotsLeft?: number | undefined;
  readonly destinationVcpus?: number | undefined;
}): Scenario {
  const { plan, count, hops, checks, slotsLeft, destinationVcpus: vcpus } = options;
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
  };
}

function named(plan: TdPlan, name: string): TdPlan {
  return { ...plan, spec: { ...plan.spec, name } };
}
