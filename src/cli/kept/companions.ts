/** What goes along with every kept TD: its turn at a key slot, the time of its teardown, and the service manager. */

import type { Host } from '../../host/port.ts';
import { queueing } from '../../keeper/admission/queueing.ts';
import type { Companion } from '../../keeper/companion.ts';
import { teardownMs } from '../../keeper/forecast.ts';
import type { Life } from '../../keeper/life.ts';
import { readTeardowns } from '../../keeper/measured.ts';
import type { StateDirectory } from '../../keeper/state-directory.ts';
import { type ServiceManager, serviceManager } from '../../keeper/systemd/notify.ts';
import { supervised } from '../../keeper/systemd/supervised.ts';
import { teardownWatch } from '../../keeper/teardown-watch.ts';
import type { TdPlan } from '../../plan/index.ts';

export interface Accompanied {
  readonly state: StateDirectory;
  readonly life: Life;
  readonly host: Host;
  readonly plan: TdPlan;
  readonly manager: ServiceManager;
  /** Whether it waits for a key slot, and whether it is up only once its guest runs. */
  readonly request: { readonly queue: boolean; readonly start: boolean };
  readonly onPlace: (place: { readonly position: number; readonly of: number }) => void;
  /** Is told what does not keep the TD from being kept. */
  readonly log: (text: string) => void;
}

/** The one that has started this process, if any. It is asked for once. */
export function ownManager(env: NodeJS.ProcessEnv, log: Accompanied['log']): ServiceManager {
  return serviceManager(env, (what) =>
    log(`the service manager is not told how far the TD is: ${what}`),
  );
}

export function companionsOf(accompanied: Accompanied): readonly Companion[] {
  const { state, life, host, plan, manager, request, onPlace, log } = accompanied;
  const { facts, spec, vcpuIds } = plan;
  const told = supervised(manager, {
    start: request.start,
    teardownMs: () =>
      teardownMs(
        {
          ...{ host: facts.name, simulated: facts.kind !== 'kvm', kernel: facts.kernel.rules },
          ...{ vcpus: vcpuIds.length, memoryBytes: Number(spec.memoryBytes) },
        },
        readTeardowns(state),
      ),
  });
  return [
    queueing({
      ...{ state, life, queue: request.queue },
      host: { name: facts.name, keySlots: () => host.keySlots() },
      onPlace(place) {
        told.queued(place);
        onPlace(place);
      },
      onTrouble: (error) => log(`the place in the queue cannot be given up: ${error}`),
    }),
    teardownWatch(state, plan),
    { event: told.event },
  ];
}
