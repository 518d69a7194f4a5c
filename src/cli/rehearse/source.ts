/** From the file and the options to what is played, and where. */
import { resolve } from 'node:path';
import { kernelAbiOf } from '../../abi/kvm/kernels/index.ts';
import { TdctlError } from '../../errors/index.ts';
import type { NamedFiles } from '../../files/named-files.ts';
import { loadFirmware } from '../../firmware/index.ts';
import { openSimulatedHost } from '../../host/simulated/index.ts';
import { type PlanOptions, planTd, type TdPlan } from '../../plan/index.ts';
import { type AskedHost, askHost } from '../../plan/judge/index.ts';
import type { FaultChoice } from '../../rehearsal/faults/choice.ts';
import { type Scenario, type StageOptions, standardScenario } from '../../rehearsal/index.ts';
import type { Expectations, RehearsalFile } from '../../rehearsal/scenario-file/scenario-file.ts';
import { defaultKernelAbi } from '../../simulator/index.ts';
import { parseTrustDomain, readTrustDomainText } from '../../spec/index.ts';
import { hostFileIn } from '../file-arguments.ts';
import { hostProfile } from '../host-profile.ts';
import { bootImagesOf, filesNamedIn } from '../spec-files.ts';
import type { Numbers, RehearseCommandOptions } from './options.ts';

/** A file of one or more TDs, with its absolute path. */
export interface TdSource {
  readonly text: string;
  readonly path: string;
}

export interface Source {
  /** The host as `--host` takes it. */
  readonly host: string;
  readonly profile: StageOptions['profile'];
  readonly kernel: string;
  /** Under each of these it is played, in place of `kernel`; undefined where one was asked for, or none. */
  readonly kernels: readonly string[] | undefined;
  /** The kernel ABI that was asked for, on the command line or in the file. */
  readonly namedKernel: string | undefined;
  readonly kind: 'sim' | 'soft' | 'kvm';
  /** The scenario under a kernel ABI, which decides what a host allows. */
  readonly scenarioUnder: (kernel: string) => Promise<Scenario>;
  /** The same scenario on a host that was asked (judge/ask-host.ts). */
  readonly scenarioOn: ScenarioOn;
  /** The file that a TD is made from. */
  readonly sourceOf: (td: string) => TdSource;
  readonly faults: FaultChoice;
  readonly fault: readonly string[];
  /** The faults among them that a Rehearsal file names. */
  readonly faultOfFile: readonly string[];
  /** What a Rehearsal file asks for is judged; a TrustDomain file asks for nothing. */
  readonly isJudged: boolean;
  /** Whether what did not come as asked is a finding, or only a note. */
  readonly strict: boolean;
  readonly expectUnder: (kernel: string) => Expectations;
}

/** The machine that is made for each run; undefined for a real one. */
export function placeOf({ kind, profile, kernel }: Source): StageOptions | undefined {
  return kind === 'kvm' ? undefined : { kind, profile, kernelAbi: kernel };
}

export async function openSource(
  options: RehearseCommandOptions,
  { numbers, files }: { readonly numbers: Numbers; readonly files: NamedFiles },
): Promise<Source> {
  const given = { options, numbers, files };
  // It is read once, as it may be a pipe. What does not say that it is a Rehearsal is a TrustDomain.
  const text = await readTrustDomainText(options.file, ['Rehearsal']);
  const file = await rehearsalIn(text, options.file);
  const host = options.host ?? file?.host ?? 'sim';
  files.reads(...hostFileIn(host).map((path) => ({ path, by: `host of ${options.file}` })));
  const [kind, profileText] = splitHost(host);
  const profile = profileText === undefined ? undefined : await hostProfile(profileText);
  const { scenarioOn, sourceOf } =
    file === undefined ? await ofTd(text, given) : await ofFile(file, given);
  const faultOfFile = file?.fault ?? [];
  const kernels = options.kernel === undefined ? file?.kernels : undefined;
  if (kernels !== undefined && kind === 'kvm') throw needsOneKernel(kernels, { host, kind });
  const namedKernel = options.kernel ?? file?.kernel ?? kernels?.[0];
  return {
    host,
    profile: profile ?? 'spr-1.5',
    kernel: namedKernel ?? defaultKernelAbi,
    kernels,
    namedKernel,
    kind,
    scenarioOn,
    sourceOf,
    scenarioUnder: async (kernel) => {
      const machine = await machineUnder(kind, { ...(profile && { profile }), kernelAbi: kernel });
      const scenario = await scenarioOn(machine.host);
      requireSlots(scenario, machine.totalSlots);
      return scenario;
    },
    faults: options.faults ?? file?.faults ?? 'none',
    fault: [...faultOfFile, ...options.fault],
    faultOfFile,
    isJudged: file !== undefined,
    strict: file?.strict ?? true,
    expectUnder: (kernel) => file?.expectUnder(kernel) ?? {},
  };
}

function needsOneKernel(
  kernels: readonly string[],
  { host, kind }: Pick<Source, 'host' | 'kind'>,
): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'choose a kernel',
    place: `--host ${host}`,
    message: `the file names ${kernels.length} kernels, and a host \`${kind}\` is played under one`,
    hint: 'name one by --kernel, or play it on `--host sim`',
  });
}

type Place = Partial<Pick<StageOptions, 'profile' | 'kernelAbi'>>;

async function machineUnder(
  kind: Source['kind'],
  place: Place,
): Promise<{ readonly host: AskedHost; readonly totalSlots: number }> {
  const host = kind === 'soft' ? await openSoft(place) : openSimulatedHost(place);
  try {
    requireTds(host.tdxMissing);
    const { total } = host.machine.keySlots;
    return { host: await askHost(host), totalSlots: total };
  } finally {
    await host.close();
  }
}

async function openSoft(place: Place) {
  const { openSoftHost } = await import('../../host/soft/soft-host.ts');
  return openSoftHost(place);
}

function requireSlots({ slotsLeft = 0 }: Scenario, totalSlots: number): void {
  if (slotsLeft <= totalSlots) return;
  throw new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'leave key slots free',
    place: `--slots-left ${slotsLeft}`,
    message: `${slotsLeft} key slots cannot be left free: the host has ${totalSlots}`,
    hint: `give a number from 0 to ${totalSlots} (in a Rehearsal file it is spec.slotsLeft)`,
  });
}

/** The TDs are alive at the same time, so that more of them than slots can never be: no need to try. */
function requireRoom(count: number, { name, keySlots }: AskedHost): void {
  if (keySlots === undefined || count <= keySlots.total) return;
  const { total } = keySlots;
  throw new TdctlError({
    code: 'TDCTL_E_NO_KEY_SLOT',
    op: 'count the key slots',
    place: `--count ${count}`,
    message: `${count} TDs at the same time need as many key slots, and ${name} has ${total}`,
    hint: `give --count at most ${total}, or see by --unchecked what the kernel answers to the next one`,
  });
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

async function ofTd(text: string, { options, numbers, files }: Given): Promise<Played> {
  const spec = parseTrustDomain(text, { path: options.file });
  files.reads(...filesNamedIn(spec));
  const firmware = await loadFirmware(spec.firmware);
  const boot = await bootImagesOf(spec);
  const scenarioOn: ScenarioOn = async (host) => {
    const plan = rehearsedPlan({ spec, firmware, boot, host });
    const { count = 1, slotsLeft, destinationVcpus } = numbers;
    if (options.unchecked !== true) requireRoom(count, host);
    return standardScenario({
      plan,
      count,
      slotsLeft,
      destinationVcpus,
      hops: numbers.hops ?? 1,
      checks: options.unchecked === true ? 'none' : 'all',
    });
  };
  const source = { text, path: resolve(options.file) };
  return { scenarioOn, sourceOf: () => source };
}

type Played = Pick<Source, 'scenarioOn' | 'sourceOf'>;
type ScenarioOn = (host: AskedHost) => Promise<Scenario>;

/**
 * What no moment would change ends the rehearsal before it begins. What is of the moment, such as a key slot that
 * others have, is what a rehearsal plays.
 *
 * @throws TdctlError as `tdctl run` would end.
 */
function rehearsedPlan(options: PlanOptions): TdPlan {
  const { memory, ...host } = options.host;
  return planTd({
    ...options,
    host: {
      ...host,
      memory: memory && { ...memory, availableBytes: undefined, cgroupBytes: undefined },
      keySlots: undefined,
      cgroupRoom: undefined,
    },
  });
}

interface Given {
  readonly options: RehearseCommandOptions;
  readonly numbers: Numbers;
  /** Takes note of the files that the file names. */
  readonly files: NamedFiles;
}

/** What the command line says goes before what the file says. */
async function ofFile(file: RehearsalFile, { options, numbers, files }: Given): Promise<Played> {
  refuseForFile(options);
  const sources = await Promise.all(
    file.tds.map(async ({ names, specPath }) => {
      const text = await readTrustDomainText(specPath);
      const spec = parseTrustDomain(text, { path: specPath });
      const by = `TD ${names[0]} of ${options.file}`;
      files.reads({ path: specPath, by }, ...filesNamedIn(spec));
      const firmware = await loadFirmware(spec.firmware);
      const source = { text, path: resolve(specPath) };
      return { names, spec, firmware, boot: await bootImagesOf(spec), source };
    }),
  );
  const scenarioOn: ScenarioOn = async (host) => ({
    name: file.name,
    operations: file.operationsUnder(kernelAbiOf(host.facts.kernel.rules).name),
    checks: options.unchecked === true ? 'none' : file.checks,
    slotsLeft: numbers.slotsLeft ?? file.slotsLeft,
    tds: new Map<string, TdPlan>(
      sources.flatMap(({ names, spec, firmware, boot }) => {
        // TDs of one spec differ in nothing but the name.
        const plan = rehearsedPlan({ spec, firmware, boot, host });
        return names.map((name) => [name, { ...plan, spec: { ...spec, name } }] as const);
      }),
    ),
  });
  const byName = new Map(sources.flatMap(({ names, source }) => names.map((n) => [n, source])));
  return {
    scenarioOn,
    sourceOf(td) {
      const source = byName.get(td);
      if (source === undefined) throw new Error(`no file is of TD ${td}`);
      return source;
    },
  };
}

/** The operations of a Rehearsal file say what these options would. */
function refuseForFile(options: RehearseCommandOptions): void {
  const [option] = Object.entries({
    '--hops': options.hops,
    '--count': options.count,
    '--destination-vcpus': options.destinationVcpus,
  }).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (option === undefined) return;
  throw new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'read the options',
    place: option,
    message: `${option} is for a TrustDomain file, and ${options.file} has operations of its own`,
    hint: 'write it into `spec.operations` of that file',
  });
}

async function rehearsalIn(text: string, path: string): Promise<RehearsalFile | undefined> {
  if (!/^kind\s*:\s*["']?Rehearsal\b/m.test(text)) return undefined;
  const { parseRehearsalFile } = await import('../../rehearsal/scenario-file/scenario-file.ts');
  return parseRehearsalFile(text, { path });
}

const kinds = ['sim', 'soft', 'kvm'] as const;

function splitHost(host: string): [kind: Source['kind'], profile: string | undefined] {
  const [, name = '', profile] = /^([^:]*)(?::(.*))?$/s.exec(host) ?? [];
  const kind = kinds.find((each) => each === name) ?? (name === 'auto' ? 'sim' : undefined);
  if (kind !== undefined) return [kind, profile];
  const isShared = name === 'on';
  throw new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'choose a host',
    place: '--host',
    message: isShared
      ? `a rehearsal breaks its host on purpose, and has each run on a new one: \`${host}\` is shared`
      : `there is no host \`${host}\` to rehearse on`,
    hint: 'use sim, sim:PROFILE, sim:FILE, soft, soft:PROFILE or kvm',
  });
}
