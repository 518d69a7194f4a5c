/** What a viewer may ask of a simulated run. */
import type { Pacer } from './pacer.ts';

/** Steps a second. Below the least a run would seem to hang, and above the most nobody sees a difference. */
export const speeds = { least: 0.1, most: 1000 } as const;

/** @returns what is wrong with the wish, or undefined once it is done. */
export function control(pacer: Pacer, text: string): string | undefined {
  const asked = parse(text);
  switch (asked?.do) {
    case 'pause':
      pacer.change({ paused: true });
      return undefined;
    case 'resume':
      pacer.change({ paused: false });
      return undefined;
    case 'step':
      pacer.step();
      return undefined;
    case 'speed':
      return changeSpeed(pacer, asked.stepsPerSecond);
    default:
      return 'ask with JSON: {"do": "pause"}, "resume", "step" or "speed"';
  }
}

function changeSpeed(pacer: Pacer, stepsPerSecond: unknown): string | undefined {
  if (stepsPerSecond !== null && !isSpeed(stepsPerSecond)) {
    return `"stepsPerSecond" is null or a number from ${speeds.least} to ${speeds.most}`;
  }
  pacer.change({ stepsPerSecond });
  return undefined;
}

function isSpeed(value: unknown): value is number {
  return typeof value === 'number' && value >= speeds.least && value <= speeds.most;
}

function parse(text: string): { do?: unknown; stepsPerSecond?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
