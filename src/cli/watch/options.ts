/** The command line of `tdctl watch`, checked. */
import { TdctlError } from '../../errors/index.ts';
import { type Address, type Pace, speeds } from '../../watch/index.ts';
import { wholeNumber } from '../rehearse/numbers.ts';
import type { RehearseCommandOptions } from '../rehearse/options.ts';

export interface WatchCommandOptions
  extends Omit<
    RehearseCommandOptions,
    'compare' | 'faults' | 'seed' | 'runs' | 'proofs' | 'html' | 'output'
  > {
  readonly port?: string | undefined;
  readonly socket?: string | undefined;
  readonly tree?: boolean | undefined;
  readonly speed?: string | undefined;
  readonly paused?: boolean | undefined;
  readonly untilEnd?: boolean | undefined;
}

/** A rehearsal has options that a watched run lacks; these values stand for them. */
export function rehearsalOptions(options: WatchCommandOptions): RehearseCommandOptions {
  return { ...options, faults: 'none', output: 'text' };
}

/** @returns undefined where nothing shall be served. */
export function addressOf({ port, socket, tree }: WatchCommandOptions): Address | undefined {
  if (socket !== undefined) return { socket };
  if (port !== undefined) {
    return { port: wholeNumber(port, { option: '--port', from: 0, to: 65_535 }) };
  }
  return tree === true ? undefined : { port: 0 };
}

export function paceOf({
  speed = '2',
  paused = false,
  tree,
  port,
  socket,
}: WatchCommandOptions): Pace {
  if (paused && tree === true && port === undefined && socket === undefined) {
    throw new TdctlError({
      code: 'TDCTL_E_USAGE',
      op: 'read an option',
      place: '--paused',
      message: 'a run that begins paused is resumed from the page, and `--tree` alone has none',
      hint: 'add `--port 0`, or choose a low --speed',
    });
  }
  if (speed === 'max') return { paused, stepsPerSecond: null };
  const stepsPerSecond = /^\d*\.?\d+$/.test(speed) ? Number(speed) : Number.NaN;
  if (stepsPerSecond >= speeds.least && stepsPerSecond <= speeds.most) {
    return { paused, stepsPerSecond };
  }
  throw new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'read an option',
    place: `--speed ${speed}`,
    message: `\`${speed}\` is no number of steps a second from ${speeds.least} to ${speeds.most}`,
    hint: 'give --speed such a number, or max',
  });
}
