/** Prints what ended a command, and gives its exit code. */
import { inspect } from 'node:util';
import { causes, type ExitCode, errorData, exitCodes, TdctlError } from '../errors/index.ts';
import type { CommandIo } from './io.ts';
import type { OutputFormat } from './options.ts';
import { documentOf } from './output/data.ts';
import { layOut } from './output/layout.ts';
import { paint } from './output/paint.ts';
import { sanitize } from './output/sanitize.ts';
import { withSourceLines } from './source-lines.ts';

/** How a command came to its end. */
export type Ended = { readonly exitCode: number } | { readonly error: unknown };

/**
 * Waits until the output is written, and says what ended the command, and what of its output was lost.
 * A loss stops the command as a signal does, and it is the loss that is told then, not the interruption.
 *
 * @returns the exit code. A lost output does not hide that a command failed of itself.
 */
export async function conclude(ended: Ended, shown: Shown): Promise<number> {
  const { io } = shown;
  await io.settled();
  const { told, readerIsGone } = io.losses;
  const exitCode = 'error' in ended ? exitCodeOf(ended.error) : ended.exitCode;
  const isCutShort = exitCode === exitCodes.interrupted && (told.length > 0 || readerIsGone);
  if ('error' in ended && !isCutShort) await reportFailure(ended.error, shown);
  for (const loss of told) await reportFailure(loss, shown);
  const isOwn = exitCode !== exitCodes.ok && !isCutShort;
  return told.length === 0 || isOwn ? exitCode : exitCodes.failed;
}

function exitCodeOf(error: unknown): ExitCode {
  return error instanceof TdctlError ? error.exitCode : exitCodes.failed;
}

interface Shown {
  readonly io: CommandIo;
  readonly format: OutputFormat;
}

async function reportFailure(error: unknown, { io, format }: Shown): Promise<void> {
  io.stderr.write(`${await failureText(error, { io, format })}\n`);
}

export async function failureText(error: unknown, { io, format }: Shown): Promise<string> {
  if (!(error instanceof TdctlError)) return defectText(error);
  if (format === 'json') return JSON.stringify(errorDocument(error));
  return layOut(errorText(error, io), io.widths.stderr);
}

/** The JSON form of an error is one line on stderr, and a contract (docs/errors.md). */
function errorDocument(error: TdctlError) {
  return documentOf('tdctl.Error', { error: errorData(error) });
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

function defectText(error: unknown): string {
  return [
    'error: tdctl met a defect of its own [TDCTL_E_INTERNAL]',
    withSourceLines(inspect(error)),
    'hint: please report this text and the command that led to it',
  ].join('\n');
}
