/** An error as plain data, as it is a part of documents and goes from one process to another (docs/errors.md). */
import { type ExitCode, errorCodeOf, type TdctlErrorCode } from './codes.ts';
import { TdctlError } from './tdctl-error.ts';

export interface ErrorData {
  readonly code: TdctlErrorCode;
  readonly exitCode: ExitCode;
  readonly op: string;
  readonly message: string;
  readonly place: string | null;
  readonly details: readonly string[];
  readonly hint: string | null;
  /** The outermost first. No message repeats them. */
  readonly causes: readonly string[];
}

export function errorData(error: TdctlError): ErrorData {
  return {
    code: error.code,
    exitCode: error.exitCode,
    op: error.op,
    message: error.message,
    place: error.place ?? null,
    details: error.details,
    hint: error.hint ?? null,
    causes: causes(error),
  };
}

/** The same error again, but for what its causes were besides their words. */
export function errorOf({
  code,
  op,
  message,
  place,
  details,
  hint,
  causes,
}: ErrorData): TdctlError {
  return new TdctlError({
    code: errorCodeOf(code),
    op,
    message,
    place: place ?? undefined,
    details,
    hint: hint ?? undefined,
    cause: causeOf(causes),
  });
}

export function causes(error: Error): string[] {
  const { cause } = error;
  if (cause === undefined) return [];
  if (!(cause instanceof Error)) return [String(cause)];
  return [cause.message, ...causes(cause)];
}

function causeOf([outermost, ...deeper]: readonly string[]): Error | undefined {
  if (outermost === undefined) return undefined;
  const cause = causeOf(deeper);
  return cause === undefined ? new Error(outermost) : new Error(outermost, { cause });
}
