/** Prepares all that may fail before a run is shown: its host and its plan. */
import type { Host } from '../../host/port.ts';
import { askHost } from '../../plan/judge/index.ts';
import {
  openStage,
  type RecordedEvent,
  type Rehearsal,
  type RehearsalHooks,
  realStage,
  rehearseOn,
  rehearseSimulated,
  type Scenario,
  type StageOptions,
} from '../../rehearsal/index.ts';
import type { PageFacts } from '../../watch/index.ts';
import type { CommandIo } from '../io.ts';
import { openHost } from '../open-host.ts';
import { faultOf } from '../rehearse/fault.ts';
import { refuseOnHost } from '../rehearse/rehearse.ts';
import { placeOf, type Source } from '../rehearse/source.ts';

export interface PreparedRun {
  readonly scenario: Scenario;
  readonly facts: PageFacts;
  /** Whether the steps may be held. On a real host they may not, for no vCPU there waits for a viewer. */
  readonly canHold: boolean;
  play(watching: Watching): Promise<Rehearsal>;
}

interface Watching {
  readonly hooks: RehearsalHooks;
  readonly listener: (event: RecordedEvent) => void;
}

export function prepareRun(source: Source, io: CommandIo): Promise<PreparedRun> {
  const place = placeOf(source);
  return place === undefined ? onHost(source, io) : onMachine(source, place);
}

async function onMachine(source: Source, place: StageOptions): Promise<PreparedRun> {
  const scenario = await source.scenarioUnder(source.kernel);
  const faults = source.fault.map((text) => faultOf(text, { processes: false }));
  // A guest that really runs does not wait for a person.
  const canHold = place.kind !== 'soft';
  return {
    scenario,
    canHold,
    facts: { ...(await machineFacts(place)), name: scenario.name, canHold },
    play: (watching) =>
      rehearseSimulated(place, { scenario, faults, ...watching, unhurried: true }),
  };
}

async function factsOf(host: Host) {
  const { name, kernel } = await host.facts();
  return { host: name, kernel: kernel.rules, totalSlots: (await host.keySlots())?.total };
}

async function machineFacts(place: StageOptions) {
  const stage = await openStage(place);
  try {
    return await factsOf(stage.host);
  } finally {
    await stage.close();
  }
}

/** On a real TDX host everything is played once, and nothing is broken on purpose. */
async function onHost(source: Source, io: CommandIo): Promise<PreparedRun> {
  refuseOnHost(source.fault.length === 0 ? [] : ['--fault'], source.host);
  const host = await openHost({ host: source.host, kernel: source.namedKernel }, io);
  try {
    const scenario = await source.scenarioOn(await askHost(host));
    return {
      scenario,
      canHold: false,
      facts: { ...(await factsOf(host)), name: scenario.name, canHold: false },
      play: (watching) => rehearseOn(realStage(host), { scenario, ...watching, unhurried: true }),
    };
  } catch (error) {
    await host.close();
    throw error;
  }
}
