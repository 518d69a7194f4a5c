/** Prints what ended a command, and gives its exit code. */
import { inspect } from 'node:util';
import { type ExitCode, exitCodes, TdctlError } from '../errors/index.ts';
import type { CommandIo } from './io.ts';
import type { OutputFormat } from './options.ts';
import { paint } from './output/paint.ts';
import { sanitize } from './output/sanitize.ts';
import { withSourceLines } from './source-lines.ts';

export function reportFailure(
  error: unknown,
  { io, format }: { readonly io: CommandIo; readonly format: OutputFormat },
): ExitCode {
  if (!(error instanceof TdctlError)) {
    io.stderr.write(`${defectText(error)}\n`);
    return exitCodes.failed;
  }
  const text = format === 'json' ? JSON.stringify(errorEnvelope(error)) : errorText(error, io);
  io.stderr.write(`${text}\n`);
  return error.exitCode;
}

/** The JSON form of an error is one line on stderr, and a contract (docs/errors.md). */
export function errorEnvelope(error: TdctlError) {
  return {
    error: {
      code: error.code,
      exitCode: error.exitCode,
      op: error.op,
      message: error.message,
      place: error.place ?? null,
      details: error.details,
      hint: error.hint ?? null,
      causes: causes(error),
    },
  };
}

function errorText(error: TdctlError, io: CommandIo): string {
  const { bold, red, dim } = paint(io.colors.stderr);
  // Paths and causes may hold text from outside, and details may have several lines.
  const place = error.place === undefined ? '' : `${error.place}: `;
  const details = error.details.flatMap((detail) => detail.split('\n'));
  return [
    `${red('error')}: ${bold(sanitize(place + error.message))} ${dim(`[${error.code}]`)}`,
    ...details.map((line) => `  ${sanitize(line)}`),
    ...causes(error).map((cause) => `  ${dim(`caused by: ${sanitize(cause)}`)}`),
    ...(error.hint === undefined ? [] : [`${bold('hint')}: ${sanitize(error.hint)}`]),
  ].join('\n');
}

/** The causes are printed one by one, and no message repeats them. */
function causes(error: Error): string[] {
  const { cause } = error;
  if (cause === undefined) return [];
  if (!(cause instanceof Error)) return [String(cause)];
  return [cause.message, ...causes(cause)];
}

function defectText(error: unknown): string {
  return [
    'error: tdctl met a defect of its own [TDCTL_E_INTERNAL]',
    withSourceLines(inspect(error)),
    'hint: please report this text and the command that led to it',
  ].join('\n');
}
