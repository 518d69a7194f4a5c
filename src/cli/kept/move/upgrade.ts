/** `tdctl upgrade`: TDs move to keepers of another tdctl, until one cannot. */
import type { KeptTd } from '../../../keeper/kept-td.ts';
import { readKeptTd } from '../../../keeper/kept-tds.ts';
import { isOver } from '../../../keeper/state.ts';
import { failureText } from '../../failure.ts';
import { listenForInterrupts } from '../../interrupts.ts';
import type { CommandIo } from '../../io.ts';
import { dataText, documentOf } from '../../output/data.ts';
import { print, say } from '../../output/print.ts';
import { sanitize } from '../../output/sanitize.ts';
import { wholeNumber } from '../../rehearse/numbers.ts';
import { stepFailure } from '../../words.ts';
import { about, exitCodeOf } from '../actions.ts';
import type { KeptFormat } from '../options.ts';
import { noSuchTd, type Selection, select } from '../select.ts';
import { keptState } from '../state-of.ts';
import { moveTd } from './migrate.ts';
import { staysUnder, upgradeInterrupted } from './refusals.ts';
import { type TdctlAt, tdctlAt } from './tdctl-at.ts';
import { contentOf, lineOf, summaryOf, type Upgraded } from './upgrade-report.ts';

export interface UpgradeOptions {
  readonly with?: string | undefined;
  readonly parallel: string;
  readonly force?: boolean | undefined;
  readonly output: KeptFormat;
}

interface Telling {
  readonly io: CommandIo;
  readonly endWith: (exitCode: number) => void;
}

const mostAtOnce = 64;

/** @throws TdctlError before anything is begun, what the only TD could not do, or TDCTL_E_INTERRUPTED. */
export async function upgrade(
  selection: Selection,
  options: UpgradeOptions,
  { io, endWith }: Telling,
): Promise<void> {
  const parallel = wholeNumber(options.parallel, { option: '--parallel', from: 1, to: mostAtOnce });
  const to = await tdctlAt(options.with);
  const state = await keptState(io);
  const names = select(state, selection).map(({ name, td }) => {
    if (td === undefined) throw noSuchTd(state, name);
    return name;
  });
  const upgrading = new Upgrading({ ...options, names, parallel, to, state, io });
  const done = await upgrading.upgrade();
  await tellAll(done, { to, io, output: options.output });
  const failures = done.flatMap(({ error }) => (error === undefined ? [] : [error]));
  if (failures.length > 0) {
    if (names.length === 1) throw failures[0];
    endWith(Math.max(...failures.map(exitCodeOf)));
    return;
  }
  const notTried = done.filter(({ result }) => result === 'not-tried').length;
  if (notTried > 0) throw upgradeInterrupted(notTried, done.length);
}

interface UpgradingOptions extends UpgradeOptionsRead {
  readonly names: readonly string[];
  readonly to: TdctlAt;
  readonly state: Awaited<ReturnType<typeof keptState>>;
  readonly io: CommandIo;
}

type UpgradeOptionsRead = Pick<UpgradeOptions, 'force' | 'output'> & { readonly parallel: number };

class Upgrading {
  readonly #options: UpgradingOptions;
  readonly #interrupts = listenForInterrupts();
  /** Ends the waiting for the moves that are under way. */
  readonly #leaving = new AbortController();
  readonly #done = new Map<string, Upgraded>();
  #hasFailed = false;

  constructor(options: UpgradingOptions) {
    this.#options = options;
  }

  /** In the order in which they were named. */
  async upgrade(): Promise<readonly Upgraded[]> {
    const { names, parallel, io } = this.#options;
    this.#interrupts.onInterrupt((times) => {
      if (times > 1) this.#leaving.abort();
      else
        say(
          io,
          'no further move is begun; interrupt again to leave those under way to their keepers',
        );
    });
    const left = [...names];
    const one = async () => {
      for (let name = left[0]; name !== undefined && this.#mayBegin; name = left[0]) {
        left.shift();
        await this.#take(name);
      }
    };
    try {
      await Promise.all(Array.from({ length: Math.min(parallel, names.length) }, one));
    } finally {
      this.#interrupts.done();
    }
    return names.map((name) => this.#done.get(name) ?? { name, result: 'not-tried' });
  }

  get #mayBegin(): boolean {
    return !this.#hasFailed && this.#interrupts.received === undefined;
  }

  async #take(name: string): Promise<void> {
    const { io, output, names } = this.#options;
    const upgraded = await this.#upgraded(name);
    this.#done.set(name, upgraded);
    const { error } = upgraded;
    if (output === 'text' && upgraded.result !== 'failed') {
      print(io, `${name}: ${sanitize(lineOf(upgraded))}\n`);
    }
    if (output === 'name' && upgraded.result === 'moved') io.stdout.write(`${name}\n`);
    if (error === undefined) return;
    this.#hasFailed = true;
    // The one that was meant is what the command ends with, and as data it is in the document.
    if (names.length === 1 || output === 'json' || output === 'yaml') return;
    io.stderr.write(`${await failureText(error, { io, format: 'text' })}\n`);
  }

  async #upgraded(name: string): Promise<Upgraded> {
    const { state, io, to, force } = this.#options;
    const td = readKeptTd(state, name);
    const idle = idleBecause(td, { to, force });
    if (idle !== undefined) {
      return { name, result: 'nothing-to-do', words: `nothing to do: ${idle}`, td };
    }
    try {
      const signal = this.#leaving.signal;
      const report = await moveTd(td as KeptTd, { state, io, signal, program: to.program });
      const error = report.error === null ? undefined : about(name, stepFailure(report.error));
      return { name, result: 'moved', report, td, error };
    } catch (error) {
      const now = readKeptTd(state, name);
      return { name, result: 'failed', td: now, error: staysUnder(about(name, error), td, now) };
    }
  }
}

/** Why a TD needs no other keeper. */
function idleBecause(
  td: KeptTd | undefined,
  { to, force }: Pick<UpgradingOptions, 'to' | 'force'>,
): string | undefined {
  if (td === undefined) return 'it was deleted meanwhile';
  if (isOver(td.state) || td.state === 'draining') return `it is ${td.state}, and has no keeper`;
  if (td.state !== 'unkept' && td.keeper?.tdctl === to.tdctl && force !== true) {
    return `its keeper is of tdctl ${to.tdctl} already`;
  }
  return undefined;
}

async function tellAll(
  done: readonly Upgraded[],
  { to, io, output }: Pick<UpgradingOptions, 'to' | 'io' | 'output'>,
): Promise<void> {
  if (output === 'text') print(io, summaryOf(done, to));
  if (output === 'json' || output === 'yaml') {
    io.stdout.write(await dataText(documentOf('tdctl.TdUpgrade', contentOf(done, to)), output));
  }
}
