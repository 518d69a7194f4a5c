/** `keeper.log`, which is the standard error of a keeper once it has a directory. */
import { writeSync } from 'node:fs';
import { inspect } from 'node:util';

/**
 * Never throws, and goes by no stream: on a full disk a stream would have an error that nobody caught, which would be
 * logged, and so on for ever.
 */
export function keeperLog(said: unknown): void {
  const text = typeof said === 'string' ? said : inspect(said);
  try {
    writeSync(2, `${new Date().toISOString()} ${text}\n`);
  } catch {
    // The line is lost, and the TD is kept on.
  }
}

/** What Node itself says there, as its warnings, goes by the stream. */
export function loseWhatCannotBeLogged(): void {
  process.stderr.on('error', () => undefined);
}
