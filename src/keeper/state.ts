/** The states in which a person finds a kept TD. */

/** In order of a life; the words are for help and docs. */
export const keptStates = {
  queued: 'waits for a key slot',
  creating: 'is being built',
  runnable: 'built and measured; `start` runs it',
  running: 'its guest runs',
  paused: 'whole, and no vCPU runs',
  moving: 'is on its way to another VM',
  stopping: 'its vCPUs are being stopped',
  releasing: 'gives back what it holds',
  destroyed: 'over: everything was given back, as asked',
  failed: 'over: a step failed, and everything was given back',
  stuck: 'over, and something could not be given back',
  moved: 'over here: another keeper has the TD',
  lost: 'over: its keeper died, and the kernel took the TD down with it',
  draining: 'its keeper died, and the kernel is still taking it down',
  unkept: 'its keeper died, and its QEMU has the TD still; `start` gives it another keeper',
  unknown: 'its keeper lives and does not answer',
  damaged: 'its files cannot be read',
} as const;

export type KeptState = keyof typeof keptStates;

/** Of these nothing is left but files. */
export const overStates = [
  'destroyed',
  'failed',
  'stuck',
  'moved',
  'lost',
] as const satisfies readonly KeptState[];

export function isOver(state: KeptState): boolean {
  return overStates.some((each) => each === state);
}
