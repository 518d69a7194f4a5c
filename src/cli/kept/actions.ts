/** One verb for several TDs, all at once: a line for each as it is done, and the worst exit code. */
import { errorData, exitCodes, TdctlError } from '../../errors/index.ts';
import type { KeptTd } from '../../keeper/kept-td.ts';
import type { KeptState } from '../../keeper/state.ts';
import type { StateDirectory } from '../../keeper/state-directory.ts';
import { failureText } from '../failure.ts';
import { type Interrupts, listenForInterrupts } from '../interrupts.ts';
import type { CommandIo } from '../io.ts';
import type { Content } from '../output/contract/index.ts';
import { dataText, documentOf } from '../output/data.ts';
import { print } from '../output/print.ts';
import { sanitize } from '../output/sanitize.ts';
import type { KeptFormat } from './options.ts';
import { noSuchTd, type Selected, type Selection, select } from './select.ts';
import { keptState } from './state-of.ts';

/** What a verb has made of a TD. */
export interface Done {
  readonly result: 'changed' | 'nothing-to-do';
  /** Null where there is no such TD any more. */
  readonly state: KeptState | null;
  /** What a person is told, after the name. */
  readonly words: string;
}

export interface ActingOn {
  readonly td: KeptTd;
  readonly state: StateDirectory;
  readonly interrupts: Interrupts;
  readonly io: CommandIo;
}

export interface Acting {
  readonly verb: string;
  readonly act: (on: ActingOn) => Promise<Done>;
  /** What is said of a name that there is not, where that is as it should be. */
  readonly absent?: Done | undefined;
  readonly output: KeptFormat;
  readonly io: CommandIo;
  readonly endWith: (exitCode: number) => void;
}

type Action = Content<'tdctl.TdActions'>['actions'][number];

/** @throws whatever ended it, where it was for one TD. */
export async function actOnTds(selection: Selection, acting: Acting): Promise<void> {
  const { io, output } = acting;
  const state = await keptState(io);
  const selected = select(state, selection);
  if (selected.length === 0 && output === 'text')
    print(io, `nothing to do: ${noneSelected(selection)}\n`);
  const interrupts = listenForInterrupts();
  try {
    const told = await Promise.all(
      selected.map(async ({ name, td }) => {
        try {
          const done = await doneTo({ name, td }, { state, interrupts, io }, acting);
          tell(name, done, acting);
          return { name, done };
        } catch (cause) {
          const error = about(name, cause);
          // The one that was meant is what the command ends with.
          if (selected.length > 1) await tellFailure(error, acting);
          return { name, error, state: td?.state ?? null };
        }
      }),
    );
    if (output === 'json' || output === 'yaml') {
      const actions = told.map((each) => actionOf(acting.verb, each));
      io.stdout.write(await dataText(documentOf('tdctl.TdActions', { actions }), output));
    }
    const failures = told.flatMap((each) => ('error' in each ? [each.error] : []));
    if (selected.length === 1 && failures.length === 1) throw failures[0];
    if (failures.length > 0) acting.endWith(Math.max(...failures.map(exitCodeOf)));
  } finally {
    interrupts.done();
  }
}

async function doneTo(
  { name, td }: Selected,
  on: Omit<ActingOn, 'td'>,
  { act, absent }: Acting,
): Promise<Done> {
  if (td !== undefined) return act({ ...on, td });
  if (absent !== undefined) return absent;
  throw noSuchTd(on.state, name);
}

type Told = { readonly name: string } & (
  | { readonly done: Done }
  | { readonly error: unknown; readonly state: KeptState | null }
);

function tell(name: string, { words, result }: Done, { output, io }: Acting): void {
  if (output === 'text') print(io, `${name}: ${sanitize(words)}\n`);
  if (output === 'name' && result === 'changed') io.stdout.write(`${name}\n`);
}

async function tellFailure(error: unknown, { output, io }: Acting): Promise<void> {
  // As data, it is in the document.
  if (output === 'json' || output === 'yaml') return;
  io.stderr.write(`${await failureText(error, { io, format: 'text' })}\n`);
}

/** What a keeper answers speaks of its TD without the name. */
export function about(name: string, error: unknown): unknown {
  if (!(error instanceof TdctlError) || error.message.includes(name)) return error;
  const { code, op, message, details, hint, place = `TD ${name}`, cause } = error;
  return new TdctlError({ code, op, message, details, hint, place, cause });
}

function actionOf(verb: string, told: Told): Action {
  const { name } = told;
  if ('done' in told) {
    const { result, state } = told.done;
    return { verb, name, result, state, error: null };
  }
  return { verb, name, result: 'failed', state: told.state, error: errorData(asTold(told.error)) };
}

/** A defect of one of several must not take the answers about the others with it. */
export function asTold(error: unknown): TdctlError {
  if (error instanceof TdctlError) return error;
  return new TdctlError({
    code: 'TDCTL_E_INTERNAL',
    op: 'act',
    message: 'tdctl met a defect of its own',
    cause: error,
  });
}

export function exitCodeOf(error: unknown): number {
  return error instanceof TdctlError ? error.exitCode : exitCodes.failed;
}

function noneSelected({ selector }: Selection): string {
  return selector.length === 0 ? 'no TDs are kept' : `no TD has ${selector.join(' and ')}`;
}
