/** The log of a run: JSON lines, which pino writes, and only where they are asked for. */
import { roundedMs } from '../documents/data-values.ts';
import { StreamFile, type StreamFileOptions } from '../files/index.ts';
import type { CommandIo } from './io.ts';
import type { LogLevel } from './options.ts';
import type { PrintedEvent } from './words.ts';

export interface RunLog {
  /** Never throws: what cannot be written is told to `onFailure`. */
  write(event: PrintedEvent): void;
  end(): Promise<void>;
}

export interface LogOptions extends Pick<StreamFileOptions, 'onFailure' | 'signal'> {
  readonly level: LogLevel | undefined;
  readonly file: string | undefined;
}

const silent: RunLog = { write: () => undefined, end: async () => undefined };

/** @throws TdctlError TDCTL_E_NOT_WRITABLE, TDCTL_E_BUSY when the file cannot be opened. */
export async function openRunLog(
  { level, file, ...options }: LogOptions,
  io: CommandIo,
): Promise<RunLog> {
  if (level === undefined && file === undefined) return silent;
  const stream = file === undefined ? undefined : await openFile(file, options);
  const write = (line: string) =>
    stream === undefined ? io.stderr.write(line) : stream.write(line.replace(/\n$/, ''));
  const { pino } = await import('pino');
  const logger = pino({ level: level ?? 'info', base: null }, { write });
  return {
    end: async () => stream?.end(),
    write: (event) => {
      const { td, machine, state, event: op, ...rest } = roundedTimes(event);
      logger[levelOf(event)]({ td, op, machine, state, ...rest });
    },
  };
}

/** Each line is written at once, because a command that is killed must not lose the tail of its log. */
function openFile(path: string, options: Pick<StreamFileOptions, 'onFailure' | 'signal'>) {
  return StreamFile.open({ path, what: 'log', existing: 'append', flush: 'each', ...options });
}

function roundedTimes(event: PrintedEvent): PrintedEvent {
  const elapsedMs = roundedMs(event.elapsedMs);
  if (!('durationMs' in event)) return { ...event, elapsedMs };
  return { ...event, elapsedMs, durationMs: roundedMs(event.durationMs) };
}

const levels = {
  'step.progress': 'trace',
  'request.answered': 'debug',
  'state.entered': 'info',
  'step.ended': 'info',
  'resource.released': 'info',
  'td.finalized': 'info',
  'td.warning': 'warn',
  'guest.ended': 'info',
  'guest.panicked': 'error',
  'td.ended': 'info',
} as const satisfies Record<PrintedEvent['event'], LogLevel>;

function levelOf(event: PrintedEvent): LogLevel {
  const failed =
    (event.event === 'step.ended' && event.result === 'failed') ||
    (event.event === 'resource.released' && event.error !== undefined) ||
    (event.event === 'td.ended' && event.outcome !== 'destroyed');
  return failed ? 'error' : levels[event.event];
}
