import type { Check, CheckInput, Status, Verdict } from './check.ts';
import { checks } from './checks/index.ts';
import { moduleRuns, offersTdx, vmTypesText } from './evidence.ts';
import type { DoctorFacts } from './facts.ts';
import type { LogFindings } from './log-findings.ts';

export interface CheckResult {
  readonly id: string;
  readonly title: string;
  readonly group: string;
  readonly parent: string | null;
  readonly reads: string;
  readonly status: Status;
  readonly evidence: string;
  readonly fix: string | null;
}

export interface Diagnosis {
  /** `ready`: TDs can run. `not-ready`: a check failed. `cannot-tell`: too little could be read. */
  readonly conclusion: 'ready' | 'not-ready' | 'cannot-tell';
  /** The first failure. What it breaks is skipped, so it is a cause and not a consequence. */
  readonly firstCause: string | null;
  readonly counts: Readonly<Record<Status, number>>;
  readonly checks: readonly CheckResult[];
}

/** @param found in the kernel log of these facts. */
export function diagnose(facts: DoctorFacts, found: LogFindings): Diagnosis {
  const input = { ...facts, found };
  const results = new Map<string, CheckResult>();
  for (const check of checks) {
    const blocker = check.needs.find((id) => isBroken(results.get(id)));
    results.set(
      check.id,
      blocker === undefined
        ? result(check, outweighed(check, check.evaluate(input), input))
        : result(check, { status: 'skipped', evidence: `needs ${rootOf(blocker, results)}` }),
    );
  }
  const list = [...results.values()];
  const firstCause = list.find(({ status }) => status === 'fail')?.id ?? null;
  const works = offersTdx(input) === true || moduleRuns(input) !== undefined;
  return {
    conclusion: firstCause !== null ? 'not-ready' : works ? 'ready' : 'cannot-tell',
    firstCause,
    counts: countByStatus(list),
    checks: list,
  };
}

/** What TDX needs below KVM: that KVM offers TDX VMs proves all of it. */
const belowKvm: ReadonlySet<string> = new Set([
  'Environment',
  'CPU',
  'BIOS',
  'Kernel',
  'TDX module',
]);

/** What KVM answers outweighs what was concluded from logs, registers and parameters. */
function outweighed({ group }: Check, verdict: Verdict, input: CheckInput): Verdict {
  if (verdict.status !== 'fail' || !belowKvm.has(group) || offersTdx(input) !== true)
    return verdict;
  const evidence = `${verdict.evidence}; KVM offers TDX VMs all the same (${vmTypesText(input)})`;
  return { ...verdict, status: 'warn', evidence };
}

function result(
  { id, title, group, needs, reads }: Check,
  { status, evidence, fix }: Omit<Verdict, 'status'> & { readonly status: Status },
): CheckResult {
  return { id, title, group, parent: needs[0] ?? null, reads, status, evidence, fix: fix ?? null };
}

const isBroken = (found: CheckResult | undefined) =>
  found?.status === 'fail' || found?.status === 'skipped';

/** Finds the failure at the end of a chain of skipped checks, whose evidence names it already. */
function rootOf(id: string, results: ReadonlyMap<string, CheckResult>): string {
  const found = results.get(id);
  return found?.status === 'skipped' ? found.evidence.replace('needs ', '') : id;
}

function countByStatus(list: readonly CheckResult[]): Readonly<Record<Status, number>> {
  const counts = { pass: 0, warn: 0, fail: 0, unknown: 0, skipped: 0 };
  for (const { status } of list) counts[status] += 1;
  return counts;
}
