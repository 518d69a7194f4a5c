/** `tdctl migrate`: a TD moves from its keeper to a new one. */
import type { KeptTd } from '../../../keeper/kept-td.ts';
import { keeperCommand, launchMove } from '../../../keeper/launch.ts';
import type { MoveReport } from '../../../keeper/move/report.ts';
import { isOver } from '../../../keeper/state.ts';
import { listenForInterrupts } from '../../interrupts.ts';
import type { CommandIo } from '../../io.ts';
import type { OutputFormat } from '../../options.ts';
import { printData } from '../../output/data.ts';
import { stepFailure } from '../../words.ts';
import { notInThisState } from '../refusals.ts';
import { requestOfTd } from '../request-of.ts';
import { theTd } from '../select.ts';
import { keptState } from '../state-of.ts';
import { refuseUnreachable } from '../verbs/asked.ts';
import { moveInWords } from './in-words.ts';
import { moveInUnit } from './move-in-unit.ts';
import type { Moving } from './moving.ts';
import { nextRequest } from './next-request.ts';
import { notKnown } from './refusals.ts';
import { replaceKeeper, vmmOf } from './replace-keeper.ts';
import { tdctlAt } from './tdctl-at.ts';

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
      program: (await tdctlAt(options.with)).program,
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

/** @throws TdctlError where the TD has not come to the next keeper. */
export async function moveTd(
  td: KeptTd,
  { state, io, signal, program }: Moving,
): Promise<MoveReport> {
  const { name } = td;
  refuseUnreachable('migrate', td);
  if (!isOver(td.state) && vmmOf(state, name) !== undefined) {
    return replaceKeeper(td, { state, io, signal, program });
  }
  if (isOver(td.state) || td.state === 'draining') {
    const hint = `\`tdctl start ${name}\` begins a new life of it`;
    throw notInThisState(td, { op: 'migrate', cannot: 'move', hint });
  }
  const request = requestOfTd(state, name);
  if (request === undefined) throw notKnown(name);
  if (request.unit !== undefined) {
    return await moveInUnit(td, request.unit, { state, signal, program });
  }
  const command = keeperCommand(name, program);
  return await launchMove(nextRequest(request), { env: io.env, signal, command });
}
