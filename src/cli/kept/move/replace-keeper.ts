/**
 * A TD that QEMU has is in no keeper: nothing moves, and another keeper takes the place of the one that is there, just as
 * it would if that had died. The guest is not stopped.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { apiRange, type VmmIdentity } from '../../../keeper/identity.ts';
import type { KeptTd } from '../../../keeper/kept-td.ts';
import { readKeptTd } from '../../../keeper/kept-tds.ts';
import { killKeeper } from '../../../keeper/kill-keeper.ts';
import { keeperCommand, keeperProgram, launchKeeper } from '../../../keeper/launch.ts';
import type { MoveReport } from '../../../keeper/move/report.ts';
import type { StateDirectory } from '../../../keeper/state-directory.ts';
import { readStatus } from '../../../keeper/status-file.ts';
import { tdFiles } from '../../../keeper/td-files.ts';
import { awaitTd } from '../await.ts';
import { notInThisState } from '../refusals.ts';
import { requestOfTd } from '../request-of.ts';
import type { Moving } from './moving.ts';
import { inUnit, keptByCommand, notGone, notKnown } from './refusals.ts';

/** The kernel ends a process soon. */
const mostEndingMs = 10_000;
/** A keeper has nothing under way then that QEMU would be in the middle of. */
const settled: readonly string[] = ['runnable', 'running', 'paused', 'unkept'];

/** @returns undefined where no QEMU has the TD. */
export function vmmOf(state: StateDirectory, name: string): VmmIdentity | undefined {
  const status = readStatus(tdFiles(state, name).status);
  return status.kind === 'read' ? status.file.td?.vmm : undefined;
}

/** @throws TdctlError where the next keeper does not have the TD: one of the program before has it again, if it can. */
export async function replaceKeeper(td: KeptTd, moving: Moving): Promise<MoveReport> {
  const { name, keeper } = td;
  const { state, io, signal, program } = moving;
  if (!settled.includes(td.state) || keeper === null) {
    const hint = 'wait until it is whole, or over, and try again';
    throw notInThisState(td, { op: 'migrate', cannot: 'be given another keeper', hint });
  }
  const before = requestOfTd(state, name);
  if (before === undefined) throw notKnown(name);
  if (before.unit !== undefined) throw inUnit(name, before.unit);
  const programBefore = keeper.lives ? programOf(keeper.pid, name) : program;
  if (programBefore === undefined) throw keptByCommand(name);
  await end(td, moving);
  const request = { ...before, adopt: true, queue: false, faults: undefined, api: apiRange };
  const launched = (of: string) =>
    launchKeeper(request, { env: io.env, signal, command: keeperCommand(name, of) });
  try {
    const { pid } = await launched(program);
    const then = readKeptTd(state, name);
    return {
      verdict: 'completed',
      fromKeeper: { pid: keeper.pid, tdctl: keeper.tdctl },
      toKeeper: { pid, tdctl: then?.keeper?.tdctl ?? keeper.tdctl },
      blackoutMs: td.state === 'running' ? 0 : null,
      blackoutParts: [],
      error: null,
      leftovers: [],
    };
  } catch (error) {
    // Of two that do this at once one does. The TD is as it was, whoever keeps it.
    if (signal?.aborted !== true && readKeptTd(state, name)?.keeper?.lives !== true) {
      await launched(programBefore).catch(() => undefined);
    }
    throw error;
  }
}

/** It writes nothing more: what it was to be asked for meanwhile the next one is. */
async function end({ name, keeper }: KeptTd, { state, signal }: Moving): Promise<void> {
  await killKeeper(state, name, { spares: 'vmm' });
  const { ended } = await awaitTd(state, {
    name,
    until: (now) => now?.keeper?.lives !== true,
    signal: signal ?? new AbortController().signal,
    timeoutMs: mostEndingMs,
  });
  if (ended === 'timeout') throw notGone(name, keeper?.pid ?? 0);
}

/** @returns undefined where it is no keeper's program that keeps the TD. */
function programOf(pid: number, name: string): string | undefined {
  const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  const [program = '', keeps] = words.slice(-2);
  return keeps === name && basename(program) === basename(keeperProgram) ? program : undefined;
}
