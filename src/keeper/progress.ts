/**
 * What a keeper tells the process that started it: JSON lines on a pipe, whose number is in TDCTL_PROGRESS_FD. The last
 * line says what was reached, or what failed; then the pipe is closed. Nobody need read it: the keeper goes on.
 */
import { Socket } from 'node:net';
import type { ErrorInWords } from '../diagnosis/refusals.ts';
import { dataValue } from '../documents/data-values.ts';
import type { ErrorData } from '../errors/index.ts';
import type { MigrationRunEvent, TdRunEvent } from '../orchestrator/index.ts';
import type { MoveReport } from './move/report.ts';

export type ProgressLine =
  /** The keeper owns the directory of its TD; what goes wrong from now on is also in the directory. */
  | { readonly owns: { readonly directory: string; readonly life: number } }
  | { readonly queued: { readonly position: number; readonly of: number } }
  | { readonly event: TdRunEvent<ErrorInWords> }
  | { readonly move: MigrationRunEvent<ErrorInWords> }
  | { readonly reached: Reached; readonly report?: MoveReport | undefined }
  | { readonly failed: ErrorData };

export type Reached = 'runnable' | 'running' | 'moved';

export const progressVariable = 'TDCTL_PROGRESS_FD';

/** Who is slower than this has no use for the rest. */
const mostWaitingBytes = 1024 * 1024;

export interface Progress {
  tell(line: ProgressLine): void;
  /** Nothing more is told. */
  end(): void;
}

const nobody: Progress = { tell: () => {}, end: () => {} };

export function openProgress(env: NodeJS.ProcessEnv): Progress {
  const fd = Number(env[progressVariable]);
  delete env[progressVariable];
  if (!Number.isInteger(fd) || fd < 3) return nobody;
  let pipe: Socket;
  try {
    pipe = new Socket({ fd, readable: false, writable: true });
  } catch {
    return nobody;
  }
  // Whoever started this keeper may have gone.
  pipe.on('error', () => pipe.destroy());
  return {
    tell(line) {
      if (pipe.destroyed || pipe.writableLength > mostWaitingBytes) return;
      pipe.write(`${JSON.stringify(line, dataValue)}\n`);
    },
    end: () => void pipe.end(() => pipe.destroy()),
  };
}
