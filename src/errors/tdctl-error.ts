import { type ExitCode, errorKinds, type TdctlErrorCode } from './codes.ts';

export interface TdctlErrorOptions {
  readonly code: TdctlErrorCode;
  /** What was being done, as a verb phrase or the kernel's name of the request. */
  readonly op: string;
  /** One sentence: what was asked, what answered, what it means. It never quotes the cause. */
  readonly message: string;
  /** What to do next. */
  readonly hint?: string | undefined;
  /** The place in the user's input: `file:line:col`, or a path. */
  readonly place?: string | undefined;
  /** Further lines under the message, with one finding each, already formatted. */
  readonly details?: readonly string[] | undefined;
  readonly cause?: unknown;
}

/** An error that a user is meant to read. Everything else that is thrown is a defect. */
export class TdctlError extends Error {
  readonly code: TdctlErrorCode;
  readonly op: string;
  readonly hint: string | undefined;
  readonly place: string | undefined;
  readonly details: readonly string[];

  constructor(options: TdctlErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'TdctlError';
    this.code = options.code;
    this.op = options.op;
    this.hint = options.hint;
    this.place = options.place;
    this.details = options.details ?? [];
  }

  get exitCode(): ExitCode {
    return errorKinds[this.code].exitCode;
  }
}
