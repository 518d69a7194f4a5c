/** `keeper.log`, which is the standard error of a keeper once it has a directory. */
import { inspect } from 'node:util';
import { printNow } from '../files/reopen.ts';

/**
 * Never throws, and goes not by the stream of stderr. On a full disk that has an error which nobody catches, which would
 * be logged, and so on for ever; and it would keep the pipe that stderr is at first, whose reader may have gone.
 */
export function keeperLog(said: unknown): void {
  const text = typeof said === 'string' ? said : inspect(said);
  printNow(2, `${new Date().toISOString()} ${text}\n`);
}
