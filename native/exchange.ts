/** One request to a service on a socket, such as one that makes quotes, and its answer. */

export interface ExchangeOptions {
  /** A UNIX socket of a stream, or a port of AF_VSOCK. */
  readonly address:
    | { readonly unix: string }
    | { readonly vsock: { readonly cid: number; readonly port: number } };
  /** At least one byte. */
  readonly request: Uint8Array;
  /** An answer that is longer rejects with EMSGSIZE, before it is read. */
  readonly maxBytes: number;
  /** From the call to the last byte of the answer; then it rejects with ETIMEDOUT. */
  readonly deadlineMs: number;
  /**
   * `length`: each side sends first how long its message is, in 4 bytes, big-endian; so do quote generation
   * services. `end`: a message ends where its side closes.
   */
  readonly framing: 'length' | 'end';
  /** Rejects with ECANCELED. */
  readonly signal?: AbortSignal;
}

/**
 * A peer that closes in the middle rejects with ECONNRESET, and a refused call with its errno. No thread waits
 * meanwhile, and the process is held until it is settled.
 */
export type Exchange = (options: ExchangeOptions) => Promise<Uint8Array>;
