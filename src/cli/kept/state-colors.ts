import type { KeptState } from '../../keeper/state.ts';

type Color = 'green' | 'yellow' | 'red' | 'dim' | 'reset';

/** What needs a person is red, what changes by itself yellow. */
const colors: Readonly<Record<KeptState, Color>> = {
  queued: 'yellow',
  creating: 'yellow',
  runnable: 'reset',
  running: 'green',
  paused: 'yellow',
  moving: 'yellow',
  stopping: 'yellow',
  releasing: 'yellow',
  destroyed: 'dim',
  failed: 'red',
  stuck: 'red',
  moved: 'dim',
  lost: 'red',
  draining: 'yellow',
  unkept: 'red',
  unknown: 'red',
  damaged: 'red',
};

export function colorOf(state: KeptState): Color {
  return colors[state];
}
