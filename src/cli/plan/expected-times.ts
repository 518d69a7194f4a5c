/**
 * How long a plan takes is found by running it: a twin of the host is simulated, and its virtual clock is
 * read at each step. The figures behind it are in src/simulator/costs.ts with their sources; most
 * are guesses, the teardown is fitted to public times.
 */
import type { StepError } from '../../../machines/td-lifecycle/index.ts';
import type { TdctlError } from '../../errors/index.ts';
import type { HostFacts } from '../../host/facts.ts';
import { sharedHostName } from '../../host/identity.ts';
import type { Host } from '../../host/port.ts';
import type { SimulatedHost } from '../../host/simulated/index.ts';
import { startTd } from '../../orchestrator/index.ts';
import type { TdPlan } from '../../plan/index.ts';
import type { CommandIo } from '../io.ts';
import { type HostChoice, openHost } from '../open-host.ts';

export interface ExpectedTimes {
  /** The name of the simulated host that was asked. */
  readonly host: string;
  readonly stepNs: Readonly<Record<string, bigint>>;
  readonly teardownNs: {
    /** The key slot stays taken for so long. */
    readonly withoutTerminateVm: bigint;
    readonly withTerminateVm: bigint;
  };
}

/** Any kernel that has KVM_TDX_TERMINATE_VM will do: only the teardown is taken from it. */
const kernelWithTerminateVm = 'posted-terminate-vm';

/** @throws TdctlError, as the run itself would end, where the twin refuses what no rule of the plan foresaw. */
export async function expectedTimes(
  plan: TdPlan,
  { choice, io }: { readonly choice: HostChoice; readonly io: CommandIo },
): Promise<ExpectedTimes> {
  const twin = await twinOf(plan, choice, io);
  const open = async (kernel?: string) =>
    (await openHost({ ...twin, kernel: kernel ?? twin.kernel }, io)) as SimulatedHost;
  const life = await liveThrough(plan, await open());
  const terminated = await liveThrough(plan, await open(kernelWithTerminateVm));
  const teardownNs = {
    withoutTerminateVm: life.teardownNs,
    withTerminateVm: terminated.teardownNs,
  };
  return { ...life, teardownNs };
}

/** The twin has no faults, and nobody else on it. Where the host is real, the default profile stands in for it. */
async function twinOf(
  { facts }: TdPlan,
  { host, kernel }: HostChoice,
  { env }: CommandIo,
): Promise<HostChoice> {
  const shared = sharedHostName(host);
  if (shared !== undefined) {
    const { machineOf } = await import('../shared-host/reach.ts');
    return machineOf(shared, env);
  }
  if (facts.kind === 'kvm' || host === 'auto') return { host: 'sim', kernel };
  return { host: host.replace(/^soft/, 'sim'), kernel };
}

export interface Life {
  readonly host: string;
  readonly stepNs: Readonly<Record<string, bigint>>;
  readonly teardownNs: bigint;
}

/** Builds the TD on a simulated host, takes it down, and closes the host. */
export async function liveThrough(plan: TdPlan, host: SimulatedHost): Promise<Life> {
  try {
    const facts = await host.facts();
    const stepNs: Record<string, bigint> = {};
    let lapAt = clockOf(host);
    const td = startTd({
      host,
      plan: { ...plan, facts },
      onEvent: (event) => {
        if (event.event !== 'step.ended') return;
        const now = clockOf(host);
        stepNs[event.step] = now - lapAt;
        lapAt = now;
      },
    });
    await td.runnable;
    td.stop();
    const { error } = await td.ended;
    if (error) throw await failureOf(error, facts);
    const { terminating = 0n, releasing = 0n, ...building } = stepNs;
    return { host: facts.name, stepNs: building, teardownNs: terminating + releasing };
  } finally {
    await host.close();
  }
}

/** In words that most plans do not need. */
async function failureOf(error: StepError, facts: HostFacts): Promise<TdctlError> {
  const { wordsOf } = await import('../../diagnosis/refusals.ts');
  const { stepFailure } = await import('../words.ts');
  return stepFailure(wordsOf(error, facts));
}

function clockOf(host: Host): bigint {
  return host.simulatedTimeNs?.() ?? 0n;
}
