/** TDs that move between keepers, each a process of its own. */
import { readKeptTd } from '../../../src/keeper/kept-tds.ts';
import { keeperCommand, launchMove } from '../../../src/keeper/launch.ts';
import type { MoveReport } from '../../../src/keeper/move/report.ts';
import type { KeepRequest } from '../../../src/keeper/request.ts';
import { openStateDirectory } from '../../../src/keeper/state-directory.ts';
import { asked } from '../keepers.ts';

/** Kernels that move TDs, on which no guest is executed. */
export const movingKernel = 'rfc-migration-v2';

interface MoveOptions {
  /** TDCTL_KEEPER_FAULT of the next keeper. */
  readonly fault?: string;
  readonly signal?: AbortSignal;
}

/** @returns what came of it. @throws TdctlError as `tdctl migrate`. */
export async function move(
  request: KeepRequest,
  { fault, signal }: MoveOptions = {},
): Promise<MoveReport> {
  const env = { ...process.env, ...(fault !== undefined && { TDCTL_KEEPER_FAULT: fault }) };
  const command = keeperCommand(request.name);
  return await launchMove({ ...request, moves: true }, { env, command, signal });
}

export const moving = (name: string, changes: Partial<KeepRequest> = {}) =>
  asked(name, { kernel: movingKernel, start: true, again: true, ...changes });

export async function seen(name: string) {
  return readKeptTd(await openStateDirectory(process.env, { create: true }), name);
}
