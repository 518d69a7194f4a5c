/** The same scenario under several kernel ABIs, so that what they differ in can be seen in a table. */
import type { Verdict } from '../../machines/intra-host-migration/index.ts';
import type { Refusal } from '../../machines/td-lifecycle/index.ts';
import type { KernelAbi } from '../simulator/index.ts';
import { findingsIn } from './expectations.ts';
import { type FaultCase, singleFaults } from './faults/cases.ts';
import { sweep } from './faults/sweep.ts';
import { countLost } from './losses.ts';
import { type Rehearsal, rehearseSimulated } from './rehearse-once.ts';
import { type AskedOfRun, buildReport, type ReportedResult } from './report.ts';
import type { Scenario } from './scenario.ts';
import type { StageOptions } from './stage.ts';

export interface Comparison {
  readonly kernel: string;
  readonly description: string;
  /** Whether the kernel looks at KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM at all. */
  readonly movesTds: boolean;
  readonly verdict: Verdict | 'not built';
  /** The first request that was refused, where one was. */
  readonly refused?: { readonly step: string } & Omit<Refusal, 'facts'>;
  readonly requests: number;
  readonly peakSlots: number;
  readonly slotsLost: number;
  readonly chargesLost: number;
  readonly blackoutMs: number | null;
  /** So many moves were played with a fault in the ioctl of the move, and so many of them lost the TD. */
  readonly lateFaults: { readonly played: number; readonly lost: number };
  /** What comes of it without a key slot to spare, the case of October 2022 (docs/kernels.md). */
  readonly fullHost: Verdict | 'not built';
  readonly violations: number;
  readonly results: readonly ReportedResult[];
  /** How long it took by the clock of the machine, without the late faults and the full host. */
  readonly elapsedMs: number;
  /** What a Rehearsal file asked for and did not come. */
  readonly findings: readonly string[];
}

export interface CompareOptions {
  readonly profile: StageOptions['profile'];
  /** The scenario differs from kernel to kernel, because their limits do. */
  readonly scenarioUnder: (kernel: string) => Promise<Scenario>;
  readonly kernels: readonly KernelAbi[];
  /** What is asked of the run under a kernel. */
  readonly asked: (kernel: string) => AskedOfRun;
  /** Called after each kernel, with how many there have been. */
  readonly onKernel?: ((done: number) => void) | undefined;
}

/** tdctl's own checks are left out of all the runs, so that each kernel answers for itself. */
export async function compare(options: CompareOptions): Promise<Comparison[]> {
  const rows: Comparison[] = [];
  for (const kernel of options.kernels) {
    rows.push(await compareOne(options, kernel));
    options.onKernel?.(rows.length);
  }
  return rows;
}

async function compareOne(
  { profile, scenarioUnder, asked }: CompareOptions,
  kernel: KernelAbi,
): Promise<Comparison> {
  const place = { profile, kernelAbi: kernel.name };
  const scenario: Scenario = { ...(await scenarioUnder(kernel.name)), checks: 'none' };
  const run = await rehearseSimulated(place, { scenario, traced: true });
  const late = singleFaults(run.trace).filter(isInMove);
  const swept = await sweep({ place, scenario, cases: late });
  const slotsLeft = scenario.tds.size;
  const full = await rehearseSimulated(place, { scenario: { ...scenario, slotsLeft } });
  const refused = refusalIn(run);
  const report = buildReport({ ...asked(kernel.name), scenario, run });
  return {
    kernel: kernel.name,
    description: kernel.description,
    movesTds: kernel.move !== undefined,
    verdict: verdictOf(run),
    ...(refused === undefined ? {} : { refused }),
    requests: run.trace.filter(({ call }) => call.kind === 'ioctl').length,
    peakSlots: run.record.peakSlots,
    slotsLost: countLost(run.losses, 'key slot'),
    chargesLost: countLost(run.losses, 'cgroup charge'),
    blackoutMs: run.record.blackouts[0]?.ms ?? null,
    lateFaults: { played: swept.played, lost: swept.outcomes.get('TD lost by the kernel') ?? 0 },
    fullHost: verdictOf(full),
    violations: run.violations.length + swept.violationCount + full.violations.length,
    results: report.run.results,
    elapsedMs: run.elapsedMs,
    findings: findingsIn(report),
  };
}

/** Whether the ioctl that moves the TD, or a leaf of it, fails; deaths and races do not count. */
function isInMove({ state, faults }: FaultCase): boolean {
  return (
    state === 'irrevocable.moving' &&
    faults.every((fault) => !('dies' in fault || 'event' in fault))
  );
}

function verdictOf({ record, results }: Rehearsal): Comparison['verdict'] {
  const last = record.moves.at(-1);
  if (last !== undefined) return last.verdict;
  return results.some(({ result }) => result === 'failed') ? 'not built' : 'sourceKept';
}

function refusalIn({ results }: Rehearsal): Comparison['refused'] {
  const error = results.find((result) => result.error?.refusal !== undefined)?.error;
  if (error?.refusal === undefined) return undefined;
  const { facts: _, ...refusal } = error.refusal;
  return { step: error.step, ...refusal };
}
