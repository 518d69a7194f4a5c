/** What the program of a keeper says of itself, to whoever asks before anything is given to it. */
import { execFile } from 'node:child_process';
import type { ApiRange } from '../identity.ts';
import { moveRange } from './protocol.ts';

export interface Speaks {
  /** Its version. */
  readonly tdctl: string;
  /** Of what keepers say to each other about a move. */
  readonly move: ApiRange;
}

/** Its only argument; no TD has such a name. */
export const speaksFlag = '--speaks';

export const speaksOf = (tdctl: string): Speaks => ({ tdctl, move: moveRange });

const deadlineMs = 30_000;

/** @returns what it has printed, where it has not answered: one from before there were moves cannot. */
export function askProgram(program: string): Promise<Speaks | { readonly printed: string }> {
  const args = [program, speaksFlag];
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { timeout: deadlineMs }, (_, stdout, stderr) =>
      resolve(speaksIn(stdout) ?? { printed: stderr.trim() }),
    );
    child.stdin?.on('error', () => undefined);
    child.stdin?.end();
  });
}

function speaksIn(text: string): Speaks | undefined {
  try {
    const speaks: Speaks = JSON.parse(text);
    return typeof speaks?.tdctl === 'string' && speaks.move !== undefined ? speaks : undefined;
  } catch {
    return undefined;
  }
}
