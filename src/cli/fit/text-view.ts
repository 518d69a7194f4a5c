/** Which hosts can take the TD, for a person: so many of each verdict, and then the counts. */
import { bindingLimit } from '../../../machines/td-lifecycle/limits.ts';
import type { TdctlError } from '../../errors/index.ts';
import { vcpuLimits } from '../../host/facts.ts';
import { freeKeySlots, type KnownHost } from '../../host/offer.ts';
import type { Judgement, Verdict } from '../../plan/fit/index.ts';
import type { Reason } from '../../plan/judge/index.ts';
import type { CommandIo } from '../io.ts';
import { paint } from '../output/paint.ts';
import { print } from '../output/print.ts';
import { sanitize } from '../output/sanitize.ts';
import { count } from '../output/units.ts';
import { roomLines, timesWords } from '../room/room-text.ts';
import type { RoomTimes } from '../room/times.ts';
import type { FitView, Summary } from './report.ts';

type Group = Verdict | 'unreadable';

/** The view keeps no more than the lines that will be printed. */
export function textView(io: CommandIo, limit: number): FitView {
  const lines: Record<Group, string[]> = {
    migrates: [],
    fits: [],
    unknown: [],
    cannot: [],
    unreadable: [],
  };
  const keep = (group: Group, text: () => string) => {
    if (lines[group].length < limit) lines[group].push(text());
  };
  let from: string | undefined;
  let name = '';
  return {
    begin: (question) => {
      ({ from } = question);
      name = question.name;
    },
    add: (result) => {
      if ('problem' in result) {
        keep('unreadable', () => problemText(result.problem));
        return;
      }
      const { host, judgement, times } = result;
      keep(judgement.verdict, () => entry(host.name, linesOf(host, judgement, times)));
    },
    end: (summary) => {
      const { bold } = paint(io.colors.stdout);
      const titles = titlesOf(from);
      const groups = (Object.keys(lines) as Group[])
        .filter((group) => countOf(group, summary) > 0)
        .map((group) => {
          const all = countOf(group, summary);
          const more = all - lines[group].length;
          const rest = more === 0 ? '' : `  and ${more} more (--limit)\n`;
          return `${bold(titles[group])}: ${all}\n${lines[group].join('')}${rest}`;
        });
      print(
        io,
        [
          `Where TD ${bold(sanitize(name))} fits, by files and profiles of hosts; this machine is not asked\n`,
          ...groups,
          countsText(summary),
        ].join('\n'),
      );
    },
  };
}

function titlesOf(from: string | undefined): Readonly<Record<Group, string>> {
  return {
    migrates: `Can take it, and by migration from ${sanitize(from ?? '')}`,
    fits: from === undefined ? 'Can take it' : 'Can take it, but only by a new start',
    unknown: 'Not known, because the file does not say enough',
    cannot: 'Cannot take it',
    unreadable: 'Not read',
  };
}

function countOf(group: Group, { verdicts, unreadable }: Summary): number {
  return group === 'unreadable' ? unreadable : verdicts[group];
}

/** An entry is the name of a host with the first line about it, and the other lines below. */
function entry(name: string, about: readonly string[]): string {
  const [first = '', ...others] = about.map(sanitize);
  const rest = others.map((line) => `      ${line}\n`).join('');
  return `  ${sanitize(name)}: ${first}\n${rest}`;
}

const mostDetails = 3;
const mostReasons = 8;

/** Each finding is shown by its first line, which has the place; its source lines would be too many. */
function problemText({ place = '', message, code, details, hint }: TdctlError): string {
  const found = details.slice(0, mostDetails).map((detail) => detail.split('\n')[0] ?? '');
  return entry(place, [`${message} [${code}]`, ...found, ...(hint === undefined ? [] : [hint])]);
}

function linesOf(
  host: KnownHost,
  { verdict, reasons, migrationReasons = [], room }: Judgement,
  times: RoomTimes | undefined,
): string[] {
  if (verdict === 'cannot') return reasonTexts(reasons);
  if (verdict === 'unknown') return [`not known: ${host.unknown.join(', ')}`];
  return [
    roomText(host),
    ...roomLines(room),
    ...(times === undefined ? [] : [timesWords(times)]),
    ...reasonTexts(migrationReasons),
  ];
}

function reasonTexts(reasons: readonly Reason[]): string[] {
  const left = reasons.length - mostReasons;
  const shown = reasons.slice(0, mostReasons).map(reasonText);
  return left > 0 ? [...shown, `and ${count(left, 'more reason')} (-o json has all)`] : shown;
}

function reasonText({ id, text, holds }: Reason): string {
  return `${id}: ${text}${holds === 'now' ? ' (at the moment)' : ''}`;
}

function roomText(host: KnownHost): string {
  const { offer, unknown } = host;
  const free = freeKeySlots(host.keySlots);
  const notKnown = unknown.map((what) => `${what} not known`);
  return [
    ...(offer ? [`up to ${count(bindingLimit(vcpuLimits(offer)).value, 'vCPU')}`] : []),
    ...(free === undefined ? [] : [`${count(free, 'key slot')} free`]),
    ...notKnown,
  ].join(', ');
}

function countsText({ hosts, room, reasons, migrationReasons }: Summary): string {
  const together = room === null || hosts < 2 ? '' : `, with room for ${room} together`;
  return [
    `${count(hosts, 'host')} in all${together}\n`,
    countLine('against a start', reasons),
    countLine('against a migration', migrationReasons),
  ].join('');
}

function countLine(title: string, counts: Summary['reasons']): string {
  const sorted = Object.entries(counts).sort(([, a], [, b]) => b - a);
  if (sorted.length === 0) return '';
  return `${title}: ${sorted.map(([id, hosts]) => `${id} ${hosts}`).join(', ')}\n`;
}
