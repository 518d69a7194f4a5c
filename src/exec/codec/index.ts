/**
 * What a client's ioctl asks the simulated host: from the kind of its file, the ioctl's number and its
 * argument to a typed request, whose structs stay in the client's memory until the kernel model reads
 * or writes them. Any number, argument and memory gives a request; nothing throws.
 */
import type { KnownRequest, RunRequest, UnknownRequest } from '../../simulator/index.ts';
import type { ClientCall } from './client-call.ts';
import { decoderOf } from './decoders/index.ts';

export type { ClientCall, ClientMemory, FdTarget, FileKind } from './client-call.ts';
export { exitReasonIn, runPageBytes } from './run-page.ts';

/** A number without a decoder is `unknown`; the simulated host answers it by the kind of the file. */
export type Decoded =
  | { readonly kind: 'request'; readonly request: KnownRequest }
  | { readonly kind: 'run'; readonly request: RunRequest }
  | { readonly kind: 'unknown'; readonly request: UnknownRequest };

export function decode(call: ClientCall): Decoded {
  const { number } = call;
  const request = decoderOf(call.file, number)?.(call);
  if (request === undefined) {
    return { kind: 'unknown', request: { request: 'unknown ioctl', number } };
  }
  return request.request === 'KVM_RUN' ? { kind: 'run', request } : { kind: 'request', request };
}
