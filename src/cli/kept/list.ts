/**
 * `tdctl list`. It is asked often, by people and by scripts: what it loads reads files and makes a table, and nothing
 * else.
 */
import type { KeptTd } from '../../keeper/kept-td.ts';
import type { KeptState } from '../../keeper/state.ts';
import type { StateDirectory } from '../../keeper/state-directory.ts';
import type { CommandIo } from '../io.ts';
import { printData } from '../output/data.ts';
import type { KeptFormat } from './options.ts';
import { noSuchTd, type Selection, select, selectTds } from './select.ts';
import { keptState } from './state-of.ts';
import { tdsText } from './table.ts';

export interface ListOptions extends Pick<Selection, 'selector'> {
  readonly state?: readonly KeptState[] | undefined;
  /** Asks the keepers, and does not take their files' word. */
  readonly ask?: boolean | undefined;
  readonly watch?: boolean | undefined;
  readonly output: KeptFormat;
}

export async function listTds(
  names: readonly string[],
  options: ListOptions,
  io: CommandIo,
): Promise<void> {
  const state = await keptState(io);
  const read = () => readTds(state, { names, ...options });
  if (options.watch !== true) return printTds(await read(), options.output, io);
  const { watchTds } = await import('./watching.ts');
  await watchTds({ read, output: options.output, io, print: printTds });
}

interface Asked extends Pick<ListOptions, 'selector' | 'state' | 'ask'> {
  readonly names: readonly string[];
}

async function readTds(state: StateDirectory, asked: Asked): Promise<readonly KeptTd[]> {
  const found = asked.names.length === 0 ? selectTds(state, asked) : namedTds(state, asked);
  const tds = asked.ask === true ? await askAll(state, found) : found;
  const { state: states } = asked;
  return states === undefined ? tds : tds.filter((td) => states.includes(td.state));
}

function namedTds(state: StateDirectory, asked: Asked): KeptTd[] {
  return select(state, asked).map(({ name, td }) => {
    if (td === undefined) throw noSuchTd(state, name);
    return td;
  });
}

async function askAll(state: StateDirectory, tds: readonly KeptTd[]) {
  const { askKeeper } = await import('./ask.ts');
  return Promise.all(tds.map((td) => askKeeper(state, td)));
}

async function printTds(tds: readonly KeptTd[], output: KeptFormat, io: CommandIo): Promise<void> {
  if (output === 'name') io.stdout.write(tds.map(({ name }) => `${name}\n`).join(''));
  else
    await printData('tdctl.TdList', { tds }, { io, format: output, text: () => tdsText(tds, io) });
}
