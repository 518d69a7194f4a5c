/** The charts with effects that answer from a script. */
import { fromPromise } from 'xstate';
import {
  type Asked,
  type GivenBack,
  intraHostMigration,
  type LetGo,
} from '../../../machines/intra-host-migration/index.ts';
import {
  type Finalized,
  type Released,
  type Settled,
  type StepError,
  tdLifecycle,
  type VcpuLimits,
} from '../../../machines/td-lifecycle/index.ts';

const limits: VcpuLimits = { module: 576, presentCpus: 224, kvm: 1024, perVm: 224 };

function effects(calls: string[], failing: readonly string[]) {
  return <Output>(name: string, output: Output) =>
    fromPromise<Output>(async () => {
      calls.push(name);
      await new Promise((resolve) => setImmediate(resolve));
      const error: StepError = { step: name, code: 'TDCTL_E_IOCTL', message: name };
      if (failing.includes(name)) throw error;
      return output;
    });
}

/** `watchVcpus` waits until it is told to end; all else succeeds unless it is said to fail. */
export function scriptedTd(failing: readonly string[] = []) {
  const calls: string[] = [];
  const actor = effects(calls, failing);
  const machine = tdLifecycle.provide({
    actors: {
      createVm: actor<void>('createVm', undefined),
      readLimits: actor('readLimits', { limits }),
      capVcpus: actor<void>('capVcpus', undefined),
      initializeTd: actor<void>('initializeTd', undefined),
      createVcpus: actor<void>('createVcpus', undefined),
      initializeVcpus: actor<void>('initializeVcpus', undefined),
      addMemory: actor<void>('addMemory', undefined),
      finalizeTd: actor<Finalized>('finalizeTd', { mrtd: 'ab' }),
      setCpuid: actor<void>('setCpuid', undefined),
      mirrorMemory: actor<void>('mirrorMemory', undefined),
      enterVcpus: actor<void>('enterVcpus', undefined),
      watchVcpus: fromPromise<void>(
        ({ signal }) =>
          new Promise((resolve) =>
            signal.addEventListener('abort', () => resolve(), { once: true }),
          ),
      ),
      leaveVcpus: actor<void>('leaveVcpus', undefined),
      stopVcpus: actor<void>('stopVcpus', undefined),
      settleStep: actor<Settled>('settleStep', { holdsKeySlot: true }),
      terminateTd: actor<void>('terminateTd', undefined),
      releaseTd: actor<Released>('releaseTd', { leftovers: [] }),
    },
  });
  return { machine, calls };
}

export interface MigrationScript {
  /** Actors that fail; each time. */
  readonly failing?: readonly string[];
  readonly owner?: 'source' | 'destination' | 'nobody';
  /** What the source answers when it shall go on. */
  readonly sourceLives?: boolean;
  /** Somebody has stopped the source meanwhile. */
  readonly stopped?: boolean;
  readonly leftovers?: readonly StepError[];
}

export function scriptedMigration(script: MigrationScript) {
  const { owner = 'nobody', sourceLives = true, stopped = false, leftovers = [] } = script;
  const calls: string[] = [];
  const actor = effects(calls, script.failing ?? []);
  const machine = intraHostMigration.provide({
    actors: {
      checkMigration: actor<void>('checkMigration', undefined),
      prepareDestination: actor<void>('prepareDestination', undefined),
      pauseSource: actor<void>('pauseSource', undefined),
      handOver: actor<void>('handOver', undefined),
      readState: actor<void>('readState', undefined),
      writeState: actor<void>('writeState', undefined),
      takeDownDestination: actor<GivenBack>('takeDownDestination', { leftovers }),
      probeSource: actor<Asked>('probeSource', { hasTd: sourceLives }),
      keepSource: actor<LetGo>('keepSource', { stopped }),
      resumeSource: actor<void>('resumeSource', undefined),
      moveContext: actor<void>('moveContext', undefined),
      askSource: actor<Asked>('askSource', { hasTd: owner === 'source' }),
      askDestination: actor<Asked>('askDestination', { hasTd: owner === 'destination' }),
      arrive: actor<void>('arrive', undefined),
      restoreMemory: actor<void>('restoreMemory', undefined),
      enterDestination: actor<void>('enterDestination', undefined),
      retireSource: actor<GivenBack>('retireSource', { leftovers }),
      clearUp: actor<GivenBack>('clearUp', { leftovers }),
    },
  });
  return { machine, calls };
}
