/** What calls fail with once the shared host does not answer any more, and why it cannot be joined. */
import { TdctlError } from '../../../errors/index.ts';

export interface WhichHost {
  /** `on:NAME`, or the path of its socket. */
  readonly name: string;
}

export function gone({ name }: WhichHost, why: string, cause?: unknown): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_HOST_GONE',
    op: `use the shared host ${name}`,
    message: `the shared host is gone, and with it all that was on it: ${why}`,
    hint: 'its key slots, VMs and TDs were part of it, so nothing is left to be given back; `tdctl host start` starts it anew',
    cause,
  });
}

export function notThere({ name }: WhichHost, why: string, cause?: unknown): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_NOT_FOUND',
    op: `join the shared host ${name}`,
    message: `there is no shared host to join: ${why}`,
    hint: '`tdctl host list` has those that there are; `tdctl host start NAME` starts one',
    cause,
  });
}

export function otherUsers({ name }: WhichHost): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_NOT_OWNER',
    op: `join the shared host ${name}`,
    message: 'the host belongs to another user, who alone may have programs on it',
    hint: 'start one of your own: `tdctl host start NAME`',
  });
}

export function otherProtocol(
  { name }: WhichHost,
  speaks: { readonly here: number; readonly there: number; readonly tdctl: string },
): TdctlError {
  const { here, there, tdctl } = speaks;
  const newer = there > here;
  return new TdctlError({
    code: 'TDCTL_E_CONFLICT',
    op: `join the shared host ${name}`,
    message: `the host is one of tdctl ${tdctl}, which speaks version ${there} of the protocol, and this tdctl speaks version ${here}`,
    hint: newer
      ? 'use that tdctl, or stop the host and start it with this one (`tdctl host stop`)'
      : 'stop the host with the tdctl that started it, and start it with this one',
  });
}

export function notAHost({ name }: WhichHost, why: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_CONFLICT',
    op: `join the shared host ${name}`,
    message: `what answers on its socket is no shared host: ${why}`,
    hint: 'another program has the socket; `tdctl host list` has the hosts that there are',
  });
}

export function silent({ name }: WhichHost, forMs: number): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_NOT_ANSWERING',
    op: `join the shared host ${name}`,
    message: `the process of the host is there and has not answered for ${forMs} ms`,
    hint: 'a signal may have stopped it (SIGSTOP): `tdctl host show` tells',
  });
}
