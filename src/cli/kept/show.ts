/** `tdctl show`: all that is known of one kept TD. */
import { roundedBytes } from '../../documents/quantity.ts';
import type { KeptTd } from '../../keeper/kept-td.ts';
import { keptStates } from '../../keeper/state.ts';
import type { StateDirectory } from '../../keeper/state-directory.ts';
import type { CommandIo } from '../io.ts';
import { printData } from '../output/data.ts';
import { paint } from '../output/paint.ts';
import { sanitize } from '../output/sanitize.ts';
import { columns } from '../output/table.ts';
import { age, roughly, stateInWords } from './in-words.ts';
import type { KeptFormat } from './options.ts';
import { withOutlook } from './outlook.ts';
import { theTd } from './select.ts';
import { colorOf } from './state-colors.ts';
import { keptState } from './state-of.ts';

export async function showTd(
  name: string,
  { output, ask }: { readonly output: KeptFormat; readonly ask?: boolean | undefined },
  io: CommandIo,
): Promise<void> {
  const state = await keptState(io);
  const found = await lookedAt(state, theTd(state, name));
  const [read = found] = await withOutlook(state, [found]);
  const td = ask === true ? await (await import('./ask.ts')).askKeeper(state, read) : read;
  if (output === 'name') io.stdout.write(`${td.name}\n`);
  else await printData('tdctl.Td', td, { io, format: output, text: () => tdText(td, io) });
}

/** With what a list has no time to find. */
async function lookedAt(state: StateDirectory, td: KeptTd): Promise<KeptTd> {
  const { inspectTd } = await import('../../keeper/recovery/inspect.ts');
  return (await inspectTd(state, td.name))?.td ?? td;
}

function tdText(td: KeptTd, io: CommandIo): string {
  const colors = paint(io.colors.stdout);
  const color = colors[colorOf(td.state)];
  const error = td.error === null ? [] : [`${td.error.step}: ${td.error.message}`];
  return [
    `TD ${colors.bold(td.name)}\n`,
    columns([
      ['state', `${color(stateInWords(td))}: ${keptStates[td.state]}`],
      ...rowsOf(td).flatMap(([what, value]) =>
        value === undefined ? [] : [[what, sanitize(value)]],
      ),
      ...error.map((words) => ['error', colors.red(sanitize(words))]),
      ...(td.error?.details ?? []).map((detail) => ['', sanitize(detail)]),
      ...(td.error?.hint === undefined ? [] : [['hint', sanitize(td.error.hint)]]),
      ...td.notes.map((note) => ['note', sanitize(note)]),
    ]),
  ].join('');
}

type TdRow = readonly [what: string, value: string | undefined];

/** What is not known is left out. */
function rowsOf(td: KeptTd): readonly TdRow[] {
  const { since, sinceMs, chartState, host, keeper } = td;
  const ago = sinceMs === null ? '' : `, ${age(sinceMs)} ago`;
  const labels = Object.entries(td.labels).map(([key, value]) => `${key}=${value}`);
  return [
    ['chart', chartState === null || chartState === td.state ? undefined : chartState],
    ['since', since === null ? undefined : `${since}${ago}`],
    ['created', td.createdAt ?? undefined],
    ['life', td.life > 1 ? `${td.life}: it was begun anew, or moved to another keeper` : undefined],
    ['labels', labels.length === 0 ? undefined : labels.join(', ')],
    ['host', host === null ? undefined : hostInWords(host, td.kernel?.id ?? null)],
    ['vCPUs', td.vcpus === null ? undefined : `${td.vcpus}`],
    ['memory', td.memoryBytes === null ? undefined : roundedBytes(td.memoryBytes)],
    ['key slot', keySlotText(td)],
    ['MRTD', td.mrtd ?? undefined],
    ['keeper', keeper === null ? undefined : keeperText(keeper)],
    ['unit', keeper?.unit ?? undefined],
  ];
}

function keySlotText({ holdsKeySlot, state, queue }: KeptTd): string {
  if (holdsKeySlot) return 'holds one';
  if (state !== 'queued') return 'holds none';
  if (queue === null) return 'waits for one';
  const { position, of, forecastMs } = queue;
  const when =
    forecastMs === null
      ? 'nobody knows for how long, as no TD that has one is being taken down for it'
      : `about ${roughly(forecastMs)} left (est.)`;
  return `waits for one as number ${position} of ${of}; ${when}`;
}

function hostInWords(host: NonNullable<KeptTd['host']>, kernel: string | null): string {
  const kind = host.simulated ? ', simulated' : '';
  return `${host.name}${kind}${kernel === null ? '' : ` (KVM rules ${kernel})`}`;
}

function keeperText({ pid, lives, tdctl, startedAt }: NonNullable<KeptTd['keeper']>): string {
  return `process ${pid} of tdctl ${tdctl}, ${lives ? `since ${startedAt}` : 'gone'}`;
}
