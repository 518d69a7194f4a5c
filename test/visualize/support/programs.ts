/** Programs of the system that judge what we write, where they are installed. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

export function findProgram(name: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(':')
    .map((directory) => join(directory, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** What it complains about; empty where it accepts the input and says nothing. */
export function complaints(program: string, args: readonly string[], input: string): string {
  const { status, stderr, error } = spawnSync(program, args, { input, encoding: 'utf8' });
  if (error !== undefined) throw error;
  return status === 0 ? stderr : `exit code ${status}: ${stderr}`;
}
