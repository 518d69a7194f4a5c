import type { HostChoice } from '../open-host.ts';
import type { LogLevel, OutputFormat } from '../options.ts';
import type { SimulationOptions } from './simulation.ts';

export interface RunOptions extends HostChoice, SimulationOptions {
  /** Exactly one of the two is given. */
  readonly spec?: string | undefined;
  readonly plan?: string | undefined;
  readonly anyMeasurement?: boolean | undefined;
  readonly until?: 'runnable' | 'running' | undefined;
  /** As given to `--for`. */
  readonly for?: string | undefined;
  readonly console?: boolean | undefined;
  readonly consoleLog?: string | undefined;
  /** The words after `tdctl`, for who has to type them again with more. */
  readonly typed: readonly string[];
  readonly output: OutputFormat;
  readonly logLevel?: LogLevel | undefined;
  readonly logFile?: string | undefined;
}
