/** Runs the chart of a TD that a VMM makes. */
import { type AnyEventObject, createActor } from 'xstate';
import type { RefusalFacts } from '../../../machines/step-error.ts';
import {
  type FoundVmm,
  VMM_TD_VERSION,
  type VmmTdEvent,
  type VmmTdStateId,
  vmmRunSteps,
  vmmSteps,
  vmmTd,
  vmmTeardownSteps,
} from '../../../machines/vmm-td/index.ts';
import { KvmError } from '../../host/kvm-error.ts';
import type { Host } from '../../host/port.ts';
import {
  type AroundStep,
  bound,
  chartRun,
  type KeptRun,
  once,
  quickChart,
  RequestCounter,
  type TdEventBody,
  type TdRunEvent,
  toStepError,
} from '../../orchestrator/index.ts';
import type { TdPlan } from '../../plan/index.ts';
import type { VmmCommand, VmmPlaces } from '../command-line/index.ts';
import type { StartProgram } from './process.ts';
import { type AttachedVmm, VmmSession } from './session.ts';
import {
  buildTd,
  connectVmm,
  enterVcpus,
  killVmm,
  launchVmm,
  leaveVcpus,
  quitVmm,
  releaseVmm,
  settleStep,
  watchVmm,
} from './steps.ts';

export interface VmmRunOptions {
  readonly host: Host;
  readonly plan: TdPlan;
  readonly policy: { readonly onReboot: 'restart' | 'stop'; readonly onPanic: 'stop' | 'keep' };
  readonly command: VmmCommand;
  readonly places: VmmPlaces;
  readonly stderrPath: string;
  /** Writes down which process gets the TD, before that begins. */
  readonly onProcess: (pid: number) => void;
  /** Without one the VMM is a child of this process. */
  readonly startProgram?: StartProgram | undefined;
  readonly onEvent: (event: TdRunEvent) => void;
  readonly onChartEvent?: ((event: AnyEventObject) => void) | undefined;
  readonly aroundStep?: AroundStep | undefined;
  /** The one to go on with, where another keeper has left it. */
  readonly attached?: (AttachedVmm & { readonly found: FoundVmm }) | undefined;
}

export const vmmChart = { id: 'vmm-td', version: VMM_TD_VERSION } as const;

const { actors, bind, wait } = bound<VmmSession>(async (session, { step, error }) =>
  toStepError(step, error, await factsFor(session, error)),
);

const [runnable, entering, running, pausing, paused, stopping] = vmmRunSteps;
const settling = { state: 'interrupting', actor: 'settleStep' } as const;

const vmmTdOnHost = quickChart(
  vmmTd.provide({
    actors: {
      ...actors([...vmmSteps, entering, pausing, stopping, settling, ...vmmTeardownSteps], {
        ...{ launchVmm, connectVmm, buildTd, enterVcpus, leaveVcpus, quitVmm },
        ...{ settleStep, killVmm, releaseVmm },
      }),
      watchRunnable: wait(runnable.state, watchVmm),
      watchRunning: wait(running.state, watchVmm),
      watchPaused: wait(paused.state, watchVmm),
    },
  }),
);

export function startVmm(options: VmmRunOptions): KeptRun {
  const { plan, host, policy, command, places, stderrPath, onProcess, onEvent } = options;
  const { attached, startProgram } = options;
  // A VMM takes the time of this machine, also where the host is simulated.
  const now = () => performance.now();
  const startedAt = now();
  let state: VmmTdStateId = 'absent';
  const publish = (body: TdEventBody) =>
    onEvent({
      ...{ td: plan.spec.name, machine: vmmChart.id, machineVersion: vmmChart.version },
      ...{ state, elapsedMs: now() - startedAt },
      ...body,
    });
  const session = new VmmSession({
    ...{ command, places, stderrPath, onPanic: policy.onPanic, onProcess, publish, now },
    startProgram,
    keySlots: () => host.keySlots(),
    aroundStep: options.aroundStep ?? once,
    requests: new RequestCounter(),
    onChange: (type) => chart.send({ type }),
  });
  const actor = createActor(vmmTdOnHost, {
    input: { name: plan.spec.name, restarts: policy.onReboot === 'restart' },
  });
  bind(actor, session);
  const chart = chartRun<VmmTdEvent, VmmTdStateId>(actor, {
    ...{ from: state, publish, onChartEvent: options.onChartEvent },
    onEntered: (entered) => {
      state = entered;
      session.enters(entered);
    },
  });

  actor.start();
  if (attached === undefined) actor.send({ type: 'td.create' });
  else {
    session.adopt(attached);
    session.isBuilding = attached.found !== 'unbuilt';
    session.connectConsole().catch((error: Error) => {
      publish({
        event: 'td.warning',
        message: `nothing can be typed to the guest: ${error.message}`,
      });
    });
    actor.send({ type: 'td.adopt', found: attached.found });
  }
  const becomesWhole = chart.reaches('runnable', 'running', 'paused');
  // Both promises fail together on a defect, and a caller may await only one of them.
  becomesWhole.catch(() => undefined);
  return {
    runnable: becomesWhole,
    ended: chart.ended,
    stop: chart.stop,
    send: chart.send,
    isIn: chart.isIn,
    reaches: chart.reaches,
    input: (bytes) => session.console?.input(bytes) ?? 0,
    pressPower() {
      session.ask('system_powerdown').catch((error: Error) => {
        const message = `QEMU did not press the power button: ${error.message}`;
        publish({ event: 'td.warning', message });
      });
    },
    exits: {},
    get state() {
      return state;
    },
    get context() {
      return actor.getSnapshot().context;
    },
    get persisted() {
      return chart.persisted;
    },
    get waitingFor() {
      return session.waitingFor;
    },
  };
}

/** What is known of the host at the moment of a refusal. */
async function factsFor(session: VmmSession, error: unknown): Promise<RefusalFacts | undefined> {
  if (!(error instanceof KvmError) || error.code !== 'ENOSPC') return undefined;
  const keySlots = await session.options.keySlots().catch(() => undefined);
  return { keySlots };
}
