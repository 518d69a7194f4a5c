/** A rehearsal for people: the timeline of all VMs, the verdicts, what was lost, the sweep. */
import { kindInWords } from '../../host/identity.ts';
import {
  type LaneStep,
  type Outcome,
  outcomes,
  type RehearsalReport,
  type ReportedRow,
  type ReportedSweep,
  unmetExpectations,
} from '../../rehearsal/index.ts';
import { paint } from '../output/paint.ts';
import { sanitize } from '../output/sanitize.ts';
import { columns } from '../output/table.ts';
import { count, formatDuration, times } from '../output/units.ts';
import { blackoutRows, operationLines } from './operations-text.ts';

type Colors = ReturnType<typeof paint>;

const marks = { done: '✓', skipped: '·', failed: '✗', interrupted: '‒' } as const;
export const timeWords = { simulated: 'simulated time', real: 'time' } as const;
/** So many lines of the timeline are printed; the data has the rest. */
const mostSteps = 80;

export function reportText(report: RehearsalReport, withColors: boolean): string {
  const colors = paint(withColors);
  const { run, sweep, proofs } = report;
  return [
    `Rehearsal of ${colors.bold(sanitize(report.name))} on ${report.host.name}, ${kindInWords(report.host)} (KVM rules ${report.kernel})\n\n`,
    timelineText(run.steps, colors),
    '\n',
    resultsText(report, colors),
    sweep === undefined ? '' : sweepText(sweep, colors),
    proofs === undefined ? '' : proofsText(proofs, colors),
  ].join('');
}

/** Times are milliseconds of the clock of the host; the steps of all VMs stand in the order in which they began. */
function timelineText(steps: readonly LaneStep[], colors: Colors): string {
  const inOrder = [...steps].sort(byStart);
  const shown = inOrder.slice(0, mostSteps);
  const rows = shown.flatMap((step) => {
    const { lane, result, startMs, endMs, requests } = step;
    const made = requests
      .map(({ request, answer, count: number }) => {
        const text = times(request, number);
        return answer === 'ok' ? text : `${text} (${answer})`;
      })
      .join(', ');
    const does = result === 'skipped' ? 'nothing to do on this host' : made;
    const row = [
      startMs.toFixed(3).padStart(10),
      formatDuration(endMs - startMs).padStart(8),
      sanitize(lane),
      `${marks[result]} ${step.step}`,
      does,
    ];
    return step.step === 'moving' ? [pointOfNoReturn, row] : [row];
  });
  const left = steps.length - shown.length;
  const more = left > 0 ? `  … and ${count(left, 'step')} more (-o json has all)\n` : '';
  return (
    colors.bold('      at ms      took  where, what and with which requests\n') +
    columns(rows) +
    more
  );
}

/** A step that contains others comes before them; one that took no time, before what it led to. */
function byStart(a: LaneStep, b: LaneStep): number {
  if (a.startMs !== b.startMs) return a.startMs - b.startMs;
  const [lengthOfA, lengthOfB] = [a.endMs - a.startMs, b.endMs - b.startMs];
  if (lengthOfA === 0 || lengthOfB === 0) return lengthOfA - lengthOfB;
  return lengthOfB - lengthOfA;
}

const pointOfNoReturn = ['', '', '──── the point of no return ────'];

function resultsText(report: RehearsalReport, colors: Colors): string {
  const { run, strict } = report;
  const lines = operationLines(run.results, colors);
  return [
    ...lines,
    '\n',
    columns([
      [timeWords[run.clock], formatDuration(run.elapsedMs)],
      ['key slots', slotsText(run.slots)],
      ...blackoutRows(run.blackouts),
      ...run.losses.map(({ what, count: number, by, words }) => [
        'lost',
        colors.yellow(`${count(number, what)}, by the ${by}: ${words}`),
      ]),
      ...run.unmet.map((fault) => ['not met', `the run never came to ${fault}`]),
      ...(strict ? [] : unmetExpectations(report).map((missed) => ['note', sanitize(missed)])),
      ...run.violations.map(({ invariant, detail }) => [
        'violation',
        colors.red(`${invariant}: ${detail}`),
      ]),
    ]),
  ].join('');
}

export function slotsText({ peak, samples }: RehearsalReport['run']['slots']): string {
  return samples.length === 0 ? 'not watched on this host' : `${peak} in use at the peak`;
}

function sweepText(sweep: ReportedSweep, colors: Colors): string {
  const which = sweep.seed === undefined ? sweep.which : `${sweep.which}, seed ${sweep.seed}`;
  const title = `\n${colors.bold('Faults')} (${which}): ${playedWords(sweep)}${sweep.cut ? ', interrupted' : ''}\n`;
  const totals = Object.entries(sweep.outcomes).map(([outcome, number]) => [
    String(number).padStart(7),
    paintOutcome(outcome as Outcome, colors),
    outcomes[outcome as Outcome],
  ]);
  return [
    title,
    columns(totals),
    '\n',
    colors.bold('  outcomes by step\n'),
    columns(tableRows(sweep.rows)),
    equalCallsText(sweep, colors),
    ...sweep.violations.map(
      ({ invariant, detail, faults }) =>
        `\n  ${colors.red(invariant)}: ${detail}\n      with ${faults.join(' and ')}\n`,
    ),
    ...sweep.reproductions.map(
      ({ command, invariant }) => `\n  the shortest way to see ${invariant}:\n      ${command}\n`,
    ),
  ].join('');
}

function playedWords({ played, standsFor, cases }: ReportedSweep): string {
  if (played === standsFor) return `${played} of ${count(cases, 'run')} played`;
  return `${count(played, 'run')} played, which stand for ${standsFor} of ${count(cases, 'fault')}`;
}

/** Which runs were not played, because they differ from a played one in nothing but the page. */
function equalCallsText({ rows }: ReportedSweep, colors: Colors): string {
  const lines = rows.flatMap(({ lane, cells }) =>
    cells
      .filter((cell) => cell.standsFor > cell.count)
      .map(({ count: number, standsFor, kind, outcome }) => [
        `${count(number, 'run')} ${number === 1 ? 'stands' : 'stand'} for ${standsFor}`,
        sanitize(lane),
        kind,
        outcome,
      ]),
  );
  if (lines.length === 0) return '';
  const title = '  calls that differ in nothing but the page (--faults every plays all)\n';
  return `\n${colors.bold(title)}${columns(lines)}`;
}

function paintOutcome(outcome: Outcome, colors: Colors): string {
  if (outcome === 'violation') return colors.red(outcome);
  return outcome.includes('lost') ? colors.yellow(outcome) : outcome;
}

/** There is a row for each step of each VM, and a column for each outcome that occurs. */
function tableRows(rows: readonly ReportedRow[]): string[][] {
  const names = Object.keys(outcomes) as Outcome[];
  const used = names.filter((name) =>
    rows.some(({ cells }) => cells.some(({ outcome }) => outcome === name)),
  );
  const total = ({ cells }: ReportedRow, name: Outcome) =>
    cells.reduce((sum, { outcome, standsFor }) => sum + (outcome === name ? standsFor : 0), 0);
  return [
    ['where', 'step', ...used],
    ...rows.map((row) => [
      sanitize(row.lane),
      row.state,
      ...used.map((name) => String(total(row, name) || '·').padStart(Math.min(name.length, 5))),
    ]),
  ];
}

export function proofsWords(proofs: NonNullable<RehearsalReport['proofs']>): string {
  const held = proofs.filter(({ problem }) => problem === undefined).length;
  return `${held} of ${proofs.length} hold: every step repeated, failed and undone twice`;
}

function proofsText(proofs: NonNullable<RehearsalReport['proofs']>, colors: Colors): string {
  const broken = proofs.filter(({ problem }) => problem !== undefined);
  const held = `\n${colors.bold('Proofs')}: ${proofsWords(proofs)}\n`;
  return (
    held + broken.map(({ proof, state, problem }) => `  ✗ ${state} ${proof}: ${problem}\n`).join('')
  );
}
