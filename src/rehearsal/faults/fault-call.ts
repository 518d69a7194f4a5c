/** Finds the call of a recorded run that a fault was at: `nth` counts as the injector does. */
import type { TraceEvent } from '../../simulator/index.ts';
import type { RehearsalFault } from './fault.ts';

/** @returns the index of the call; undefined: the run never came to it. */
export function callOf(
  { at, nth = 1 }: RehearsalFault,
  calls: readonly TraceEvent[],
): number | undefined {
  let passes = 0;
  for (const [index, call] of calls.entries()) {
    passes += placesOf(call).filter((place) => place === at).length;
    if (passes >= nth) return index;
  }
  return undefined;
}

function placesOf(call: TraceEvent): readonly string[] {
  switch (call.kind) {
    case 'seamcall':
      return [call.leaf];
    case 'ioctl':
      return [call.request.request, ...call.points];
    case 'release':
      return [];
  }
}
