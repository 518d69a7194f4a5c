/** From the file and the options to what is played, and where. */
import { readFile } from 'node:fs/promises';
import { TdctlError } from '../../errors/index.ts';
import { loadFirmware } from '../../firmware/index.ts';
import type { HostFacts } from '../../host/facts.ts';
import { openSimulatedHost } from '../../host/simulated/index.ts';
import { planTd, type TdPlan } from '../../plan/index.ts';
import { type Scenario, type StageOptions, standardScenario } from '../../rehearsal/index.ts';
import type { Expectations, RehearsalFile } from '../../rehearsal/scenario-file/scenario-file.ts';
import { type KernelAbi, kernelAbis } from '../../simulator/index.ts';
import { loadTrustDomain } from '../../spec/index.ts';
import { hostProfile } from '../host-profile.ts';
import type { Numbers, RehearseCommandOptions } from './options.ts';

export interface Source {
  readonly profile: StageOptions['profile'];
  readonly kernel: string;
  readonly kind: 'sim' | 'soft' | 'kvm';
  /** The scenario under a kernel ABI: what a host allows differs. */
  readonly scenarioUnder: (kernel: string) => Promise<Scenario>;
  /** The same where the facts of the host are known. */
  readonly scenarioOn: (facts: HostFacts) => Promise<Scenario>;
  readonly faults: NonNullable<RehearseCommandOptions['faults']>;
  readonly fault: readonly string[];
  readonly expect: Expectations;
}

export async function openSource(
  options: RehearseCommandOptions,
  numbers: Numbers,
): Promise<Source> {
  const file = await rehearsalFile(options.file);
  const [kind, profileText] = splitHost(file?.host ?? options.host);
  const profile = profileText === undefined ? undefined : await hostProfile(profileText);
  const scenarioOn = file === undefined ? await ofTd(options, numbers) : await ofFile(file);
  return {
    profile: profile ?? 'spr-1.5',
    kernel: file?.kernel ?? options.kernel,
    kind,
    scenarioOn,
    scenarioUnder: async (kernel) => scenarioOn(await factsUnder(profile, kernel)),
    faults: options.faults ?? file?.faults ?? 'none',
    fault: [...(file?.fault ?? []), ...options.fault],
    expect: file?.expect ?? {},
  };
}

async function factsUnder(
  profile: StageOptions['profile'] | undefined,
  kernelAbi: string,
): Promise<HostFacts> {
  const host = openSimulatedHost({ profile, kernelAbi });
  try {
    requireTds(host.tdxMissing);
    return await host.facts();
  } finally {
    await host.close();
  }
}

function requireTds(missing: string | undefined): void {
  if (missing === undefined) return;
  throw new TdctlError({
    code: 'TDCTL_E_HOST_UNSUPPORTED',
    op: 'open the simulated host',
    message: 'this simulated host has KVM and offers no TDs',
    details: [`the kernel says: ${missing}`],
    hint: 'choose another profile',
  });
}

async function ofTd(options: RehearseCommandOptions, numbers: Numbers): Promise<ScenarioOn> {
  const spec = await loadTrustDomain(options.file);
  const firmware = await loadFirmware(spec.firmware);
  return async (facts) => {
    const plan = planTd({ spec, firmware, facts, ignoreExpectation: true });
    const { count, slotsLeft, destinationVcpus } = numbers;
    return standardScenario({
      plan,
      count,
      slotsLeft,
      destinationVcpus,
      // A comparison asks every kernel for a move, also those that have none to give.
      hops: numbers.hops ?? (options.compare === undefined ? defaultHops(facts) : 1),
      checks: options.unchecked === true ? 'none' : 'all',
    });
  };
}

type ScenarioOn = (facts: HostFacts) => Promise<Scenario>;

/** One where it can be made. Asked for by number, it is tried all the same. */
function defaultHops({ kernel }: HostFacts): number {
  return abiNamed(kernel.rules)?.move === undefined ? 0 : 1;
}

export function abiNamed(name: string): KernelAbi | undefined {
  return Object.values(kernelAbis).find((abi) => abi.name === name);
}

async function ofFile(file: RehearsalFile): Promise<ScenarioOn> {
  const sources = await Promise.all(
    file.tds.map(async ({ name, specPath }) => {
      const spec = { ...(await loadTrustDomain(specPath)), name };
      return { name, spec, firmware: await loadFirmware(spec.firmware) };
    }),
  );
  return async (facts) => ({
    name: file.name,
    operations: file.operations,
    checks: file.checks,
    slotsLeft: file.slotsLeft,
    tds: new Map<string, TdPlan>(
      sources.map(({ name, spec, firmware }) => [
        name,
        planTd({ spec, firmware, facts, ignoreExpectation: true }),
      ]),
    ),
  });
}

/** A file that does not say what it is, or cannot be read, is left to the reader of TrustDomains. */
async function rehearsalFile(path: string): Promise<RehearsalFile | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
  if (!/^kind\s*:\s*["']?Rehearsal\b/m.test(text)) return undefined;
  const { parseRehearsalFile } = await import('../../rehearsal/scenario-file/scenario-file.ts');
  return parseRehearsalFile(text, { path });
}

const kinds = ['sim', 'soft', 'kvm'] as const;

function splitHost(host: string): [kind: Source['kind'], profile: string | undefined] {
  const [, name = '', profile] = /^([^:]*)(?::(.*))?$/s.exec(host) ?? [];
  const kind = kinds.find((each) => each === name) ?? (name === 'auto' ? 'sim' : undefined);
  if (kind !== undefined) return [kind, profile];
  throw new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'choose a host',
    place: '--host',
    message: `there is no host \`${host}\` to rehearse on`,
    hint: 'use sim, sim:PROFILE, sim:FILE, soft, soft:PROFILE or kvm',
  });
}
