/** The command line of `tdctl rehearse`, and its numbers as numbers. */
import type { FaultChoice } from '../../rehearsal/faults/choice.ts';
import type { RehearsalFormat } from './formats.ts';
import { wholeNumber } from './numbers.ts';

export interface RehearseCommandOptions {
  readonly file: string;
  readonly host?: string | undefined;
  readonly kernel?: string | undefined;
  readonly hops?: string | undefined;
  readonly count?: string | undefined;
  readonly slotsLeft?: string | undefined;
  readonly unchecked?: boolean | undefined;
  readonly destinationVcpus?: string | undefined;
  readonly compare?: string | undefined;
  readonly faults?: FaultChoice | undefined;
  readonly seed?: string | undefined;
  readonly runs?: string | undefined;
  readonly fault: readonly string[];
  readonly proofs?: boolean | undefined;
  /** Played with keepers, each a process of its own. */
  readonly processes?: boolean | undefined;
  readonly html?: string | undefined;
  readonly output: RehearsalFormat;
}

export interface Numbers {
  readonly hops: number | undefined;
  readonly count: number | undefined;
  readonly slotsLeft: number | undefined;
  readonly destinationVcpus: number | undefined;
  readonly seed: number;
  readonly runs: number;
}

/** @throws TdctlError TDCTL_E_USAGE for the first that is no number in its range. */
export function numbersOf(options: RehearseCommandOptions): Numbers {
  const optional = (text: string | undefined, option: string, from: number, to: number) =>
    text === undefined ? undefined : wholeNumber(text, { option, from, to });
  return {
    hops: optional(options.hops, '--hops', 0, 10_000),
    count: optional(options.count, '--count', 1, 10_000),
    slotsLeft: optional(options.slotsLeft, '--slots-left', 0, 65_535),
    destinationVcpus: optional(options.destinationVcpus, '--destination-vcpus', 1, 4096),
    seed: wholeNumber(options.seed ?? '1', { option: '--seed', from: 0, to: 0xffff_ffff }),
    runs: wholeNumber(options.runs ?? usualRuns(options), {
      option: '--runs',
      from: 1,
      to: 100_000_000,
    }),
  };
}

/** A run with processes takes a thousand times as long. */
const usualRuns = ({ processes }: RehearseCommandOptions) => (processes === true ? '50' : '1000');
