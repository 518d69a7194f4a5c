/** A TD that somebody took down before it was what was asked for: no failure of anybody, and told to whoever waits. */
import { TdctlError } from '../../errors/index.ts';
import type { KeepRequest } from '../../keeper/request.ts';

export interface TakenDown {
  readonly request: Pick<KeepRequest, 'name' | 'start'>;
  /** A signal, a command, or that it was on request. */
  readonly by: string;
  /** Whether it waited for a key slot. */
  readonly isQueued: boolean;
}

export function takenDown({ request: { name, start }, by, isQueued }: TakenDown): TdctlError {
  const when = isQueued
    ? 'while it waited for a key slot'
    : `before it was ${start ? 'running' : 'runnable'}`;
  return new TdctlError({
    code: 'TDCTL_E_INTERRUPTED',
    op: 'create a TD',
    message: `the TD was taken down (${by}) ${when}; everything was given back`,
    hint: `\`tdctl start ${name}\` begins a new life of it, \`tdctl delete ${name}\` removes its record`,
  });
}
