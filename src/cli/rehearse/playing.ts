/** What is played, and all around it. */
import type { Interrupts } from '../interrupts.ts';
import type { CommandIo } from '../io.ts';
import type { Numbers, RehearseCommandOptions } from './options.ts';
import type { Progress } from './progress.ts';
import type { Source } from './source.ts';

export interface Playing {
  readonly source: Source;
  readonly numbers: Numbers;
  readonly options: RehearseCommandOptions;
  readonly interrupts: Interrupts;
  readonly progress: Progress;
  readonly io: CommandIo;
}
