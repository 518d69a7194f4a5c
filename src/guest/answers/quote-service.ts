/** A quote generation service behind a socket of the host. */
import type { Host, ServiceRequest } from '../../host/port.ts';
import { type QuoteService, QuoteServiceError } from './parts.ts';

/** As QEMU has it (target/i386/kvm/tdx-quote-generator.c). */
export const quoteDeadlineMs = 30_000;

export function quoteServiceAt(
  address: ServiceRequest['address'],
  exchange: NonNullable<Host['exchange']>,
): QuoteService {
  return {
    name:
      'unix' in address
        ? `unix:${address.unix}`
        : `vsock:${address.vsock.cid}:${address.vsock.port}`,
    ask: async (request, { signal, mostBytes: maxBytes }) => {
      try {
        return await exchange({ address, request, maxBytes, deadlineMs: quoteDeadlineMs, signal });
      } catch (error) {
        throw serviceError(error, maxBytes);
      }
    },
  };
}

/** Before it is connected, nobody has been asked. */
const connecting: ReadonlySet<unknown> = new Set(['socket', 'connect']);

function serviceError(error: unknown, maxBytes: number): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  const { code } = error;
  const syscall = 'syscall' in error ? error.syscall : undefined;
  const kind = connecting.has(syscall) && code !== 'ETIMEDOUT' ? 'unavailable' : 'failed';
  const known = reasons[String(code)];
  const why = known?.(maxBytes) ?? `${error.message}`;
  return new QuoteServiceError(kind, why, error);
}

const reasons: Readonly<Record<string, (maxBytes: number) => string>> = {
  ENOENT: () => 'there is no such socket (ENOENT): is the service (qgsd) started?',
  ECONNREFUSED: () => 'nobody listens there (ECONNREFUSED): is the service (qgsd) started?',
  EACCES: () => 'this user may not connect to it (EACCES)',
  ENODEV: () => 'this machine has no vsock (ENODEV): load vhost_vsock or vsock_loopback',
  ECONNRESET: () => 'it closed the connection before its answer was whole (ECONNRESET)',
  EMSGSIZE: (bytes) => `its answer has more than the ${bytes} bytes that the guest has room for`,
  ETIMEDOUT: () => `it did not answer within ${quoteDeadlineMs / 1000} s`,
  ECANCELED: () => 'the request was given up, because the TD ended or moved',
};
