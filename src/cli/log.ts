/** The log of a run: JSON lines, which pino writes, and only where they are asked for. */
import { pino } from 'pino';
import { TdctlError } from '../errors/index.ts';
import type { LogLevel } from './options.ts';
import type { PrintedEvent } from './words.ts';

export interface RunLog {
  write(event: PrintedEvent): void;
}

export interface LogOptions {
  readonly level: LogLevel | undefined;
  readonly file: string | undefined;
}

const silent: RunLog = { write: () => undefined };

/** @throws TdctlError TDCTL_E_NOT_WRITABLE when the file cannot be opened. */
export function openRunLog({ level, file }: LogOptions): RunLog {
  if (level === undefined && file === undefined) return silent;
  // Writing is synchronous, because a command that ends, or is killed, must not lose the tail of its log.
  const destination = openDestination(file);
  const logger = pino({ level: level ?? 'info', base: null }, destination);
  return {
    write: (event) => {
      const { td, machine, state, event: op, ...rest } = event;
      logger[levelOf(event)]({ td, op, machine, state, ...rest });
    },
  };
}

function openDestination(file: string | undefined) {
  try {
    return pino.destination({ dest: file ?? 2, sync: true });
  } catch (cause) {
    throw new TdctlError({
      code: 'TDCTL_E_NOT_WRITABLE',
      op: 'open the log',
      place: file,
      message: 'the log file cannot be opened',
      hint: 'check that its directory exists and may be written to',
      cause,
    });
  }
}

const levels = {
  'step.progress': 'trace',
  'request.answered': 'debug',
  'state.entered': 'info',
  'step.ended': 'info',
  'resource.released': 'info',
  'td.finalized': 'info',
  'td.warning': 'warn',
  'td.ended': 'info',
} as const satisfies Record<PrintedEvent['event'], LogLevel>;

function levelOf(event: PrintedEvent): LogLevel {
  const failed =
    (event.event === 'step.ended' && event.result === 'failed') ||
    (event.event === 'resource.released' && event.error !== undefined) ||
    (event.event === 'td.ended' && event.outcome !== 'destroyed');
  return failed ? 'error' : levels[event.event];
}
