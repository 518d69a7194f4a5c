/** `tdctl migrate`: a TD moves from its keeper to a new one. */

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { apiRange } from '../../../keeper/identity.ts';
import type { KeptTd } from '../../../keeper/kept-td.ts';
import { keeperCommand, keeperProgram, launchMove } from '../../../keeper/launch.ts';
import type { MoveReport } from '../../../keeper/move/report.ts';
import { isOver } from '../../../keeper/state.ts';
import type { StateDirectory } from '../../../keeper/state-directory.ts';
import { listenForInterrupts } from '../../interrupts.ts';
import type { CommandIo } from '../../io.ts';
import type { OutputFormat } from '../../options.ts';
import { printData } from '../../output/data.ts';
import { formatDuration } from '../../output/units.ts';
import { stepFailure } from '../../words.ts';
import { notInThisState } from '../refusals.ts';
import { requestOfTd } from '../request-of.ts';
import { theTd } from '../select.ts';
import { keptState } from '../state-of.ts';
import { refuseUnreachable } from '../verbs/asked.ts';
import { inUnit, noKeeperProgram, notKnown } from './refusals.ts';

export interface MigrateOptions {
  /** Of the package whose keeper takes it over. */
  readonly with?: string | undefined;
  readonly output: OutputFormat;
}

/** @throws TdctlError where the TD is not with the next keeper as it was with the one before. */
export async function migrate(name: string, options: MigrateOptions, io: CommandIo): Promise<void> {
  const state = await keptState(io);
  const td = theTd(state, name);
  const interrupts = listenForInterrupts();
  try {
    const report = await moveTd(td, {
      ...{ state, io, signal: interrupts.signal },
      root: packageAt(options.with),
    });
    await printData(
      'tdctl.TdMove',
      { name, ...report },
      {
        ...{ io, format: options.output },
        text: () => `${name}: ${moveInWords(report)}\n`,
      },
    );
    if (report.error !== null) throw stepFailure(report.error);
  } finally {
    interrupts.done();
  }
}

export interface Moving {
  readonly state: StateDirectory;
  readonly io: CommandIo;
  /** Ends the waiting; the next keeper goes on. */
  readonly signal?: AbortSignal | undefined;
  /** The directory of the package whose keeper takes it over; this one, where it is left out. */
  readonly root?: string | undefined;
}

/** @throws TdctlError where the TD has not come to the next keeper. */
export async function moveTd(td: KeptTd, { state, io, signal, root }: Moving): Promise<MoveReport> {
  const { name } = td;
  refuseUnreachable('migrate', td);
  if (isOver(td.state) || td.state === 'draining') {
    const hint = `\`tdctl start ${name}\` begins a new life of it`;
    throw notInThisState(td, { op: 'migrate', cannot: 'move', hint });
  }
  const request = requestOfTd(state, name);
  if (request === undefined) throw notKnown(name);
  if (request.unit !== undefined) throw inUnit(name, request.unit);
  return await launchMove(
    { ...request, moves: true, again: true, queue: false, faults: undefined, api: apiRange },
    { env: io.env, signal, command: keeperCommand(name, { root }) },
  );
}

/** @throws TdctlError TDCTL_E_USAGE where there is no package of tdctl. */
export function packageAt(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const root = resolve(path);
  if (!existsSync(`${root}/${keeperProgram}`)) throw noKeeperProgram(path, keeperProgram);
  return root;
}

export function moveInWords({
  fromKeeper: from,
  toKeeper: to,
  blackoutMs,
  verdict,
}: MoveReport): string {
  const versions = from.tdctl === to.tdctl ? '' : `, tdctl ${from.tdctl} → ${to.tdctl}`;
  const stood = blackoutMs === null ? '' : `; no vCPU ran for ${formatDuration(blackoutMs)}`;
  const how = verdict === 'completed' ? 'moved' : 'moved, and is not as it was';
  return `${how}: process ${from.pid} → ${to.pid}${versions}${stood}`;
}
