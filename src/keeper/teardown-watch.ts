/** Measures the teardown of a kept TD that has had a key slot, for forecasts, and tells those who wait that it is free. */
import type { TdPlan } from '../plan/index.ts';
import type { Companion } from './companion.ts';
import { noteTeardown } from './measured.ts';
import type { StateDirectory } from './state-directory.ts';

export function teardownWatch(state: StateDirectory, { spec, facts, vcpuIds }: TdPlan): Companion {
  let beganAt: number | undefined;
  return {
    event({ event, state: entered }, { holdsKeySlot }) {
      const isDown = entered === 'terminating' || entered === 'releasing';
      if (event === 'state.entered' && isDown && holdsKeySlot) beganAt ??= performance.now();
    },
    async ended() {
      if (beganAt === undefined) return;
      await noteTeardown(state, {
        ...{ host: facts.name, kernel: facts.kernel.rules },
        ...{ vcpus: vcpuIds.length, memoryBytes: Number(spec.memoryBytes) },
        ms: performance.now() - beganAt,
      });
    },
  };
}
