/** A rehearsal as a page to read: what came of it, when, and every fault with its run. */

import { visibleXml } from '../../../documents/xml.ts';
import { kindInWords } from '../../../host/identity.ts';
import {
  cameTo,
  type Grade,
  gradeOf,
  grades,
  type Outcome,
  outcomes,
  type RehearsalReport,
  type ReportedSweep,
  unmetExpectations,
} from '../../../rehearsal/index.ts';
import { pageDocument } from '../../../visualize/page/document.ts';
import { count, formatDuration } from '../../output/units.ts';
import { proofsWords, slotsText, timeWords } from '../report-text.ts';
import { className, outcomeStyles } from './outcome-styles.ts';
import { pageStyle } from './page-style.ts';
import type { RehearsalData } from './rehearsal-data.ts';
import type { SequenceTable } from './sequences.ts';
import { timelineHtml } from './timeline.ts';

export interface Runs {
  readonly table: SequenceTable;
  /** The command that plays a cell's run again. */
  readonly commandOf: (example: readonly string[]) => string;
}

export function rehearsalPage(report: RehearsalReport, runs: Runs): string {
  const { run, sweep } = report;
  return pageDocument({
    title: `Rehearsal of ${report.name}`,
    style: pageStyle,
    data: pageData(report, runs),
    client: 'rehearse',
    body: `<header>
<h1>Rehearsal of ${visibleXml(report.name)}</h1>
<p>${visibleXml(report.host.name)}, ${kindInWords(report.host)}; KVM rules ${visibleXml(report.kernel)}${report.run.clock === 'simulated' ? '. All times are simulated' : ''}.</p>
</header>
<main>
<section><h2>What came of it</h2>${resultsHtml(report)}</section>
<section><h2>Timeline and key slots</h2><div class="bar"><p class="note">Time is compressed: a step ten times as long is drawn a little wider.</p>
<div class="zoom" role="group" aria-label="Zoom"><button id="smaller" type="button" aria-label="Smaller">−</button><button id="whole" type="button">Whole run</button><button id="larger" type="button" aria-label="Larger">+</button></div></div>
${timelineHtml(run)}</section>
${sweep === undefined ? '' : sweepHtml(sweep)}
</main>
<aside id="panel" hidden aria-live="polite"><button id="close" type="button" aria-label="Close">×</button><div id="content"></div></aside>`,
  });
}

function resultsHtml(report: RehearsalReport): string {
  const { run, proofs } = report;
  const rows = run.results.map((reported) => {
    const { operation, result, error } = reported;
    const word = visibleXml(cameTo(reported));
    const reason = error ? visibleXml(error.message) : '';
    return `<tr class="${result}"><td>${visibleXml(operation)}</td><td>${word}</td><td>${reason}</td></tr>`;
  });
  const facts = [
    `${timeWords[run.clock]} ${formatDuration(run.elapsedMs)}`,
    `key slots: ${slotsText(run.slots)}`,
    ...run.blackouts
      .slice(0, 5)
      .map(({ td, hop, ms }) => `blackout of ${td}, move ${hop}: ${formatDuration(ms)}`),
    ...run.losses.map(
      ({ what, count: number, by, words }) =>
        `lost: ${count(number, what)}, by the ${by}: ${words}`,
    ),
    ...run.unmet.map((fault) => `the run never came to ${fault}`),
    ...run.violations.map(({ invariant, detail }) => `violation of ${invariant}: ${detail}`),
    ...unmetExpectations(report).map((missed) => `not as expected: ${missed}`),
    ...(proofs === undefined ? [] : [`proofs: ${proofsWords(proofs)}`]),
  ];
  const list = facts.map((fact) => `<li>${visibleXml(fact)}</li>`).join('');
  return `<table class="results">${rows.join('')}</table><ul>${list}</ul>`;
}

function sweepHtml(sweep: ReportedSweep): string {
  const rows = sweep.rows.map(({ lane, state, cells }, row) => {
    const buttons = cells.map(
      ({ kind, outcome, standsFor }, cell) =>
        `<button type="button" class="cell ${className(outcome)}" data-row="${row}" data-cell="${cell}" title="${visibleXml(`${kind}: ${outcome}, ${standsFor} of them`)}" aria-label="${visibleXml(`${kind}: ${outcome}`)}">${outcomeStyles[outcome].letter}</button>`,
    );
    return `<tr><th>${visibleXml(lane)}</th><th>${visibleXml(state)}</th><td>${buttons.join('')}</td></tr>`;
  });
  const seed = sweep.seed === undefined ? '' : `, seed ${sweep.seed}`;
  const cut = sweep.cut ? ', interrupted' : '';
  return `<section><h2>Faults</h2>
<p>${sweep.played} of ${sweep.cases} runs (${visibleXml(sweep.which)}${seed}${cut}). Each square is one kind of fault within one step; click it for what happened.</p>
${legendHtml(sweep)}
<div class="wide"><table class="matrix">${rows.join('')}</table></div>${violationsHtml(sweep)}</section>`;
}

/** The good stands apart from the bad, and each square has a letter beside its colour. */
function legendHtml({ outcomes: counts }: ReportedSweep): string {
  const found = Object.entries(counts) as [Outcome, number][];
  const groups = (Object.keys(grades) as Grade[]).flatMap((grade) => {
    const items = found
      .filter(([outcome]) => gradeOf[outcome] === grade)
      .map(
        ([outcome, number]) =>
          `<li><span class="cell ${className(outcome)}">${outcomeStyles[outcome].letter}</span><span><b>${number}</b> ${visibleXml(outcome)}: ${visibleXml(outcomes[outcome])}</span></li>`,
      );
    if (items.length === 0) return [];
    return [`<div class="${grade}"><h3>${grades[grade]}</h3><ul>${items.join('')}</ul></div>`];
  });
  return `<div class="legend">${groups.join('')}</div>`;
}

/** Each kind of violation with its faults, and the shortest command that shows it. */
function violationsHtml({ violations, reproductions }: ReportedSweep) {
  if (violations.length === 0) return '';
  const found = violations.map(
    ({ invariant, detail, faults }) =>
      `<li><b>${visibleXml(invariant)}</b>: ${visibleXml(detail)}, with ${visibleXml(faults.join(' and '))}</li>`,
  );
  const shortest = reproductions.map(
    ({ invariant, command }) =>
      `<p>The shortest way to see ${visibleXml(invariant)}:</p><pre>${visibleXml(command)}</pre>`,
  );
  return `<h3>Violations</h3><ul>${found.join('')}</ul>${shortest.join('')}`;
}

function pageData(
  { sweep }: RehearsalReport,
  { table: { strings, sequences }, commandOf }: Runs,
): RehearsalData {
  return {
    strings,
    sequences: sequences.size,
    rows: (sweep?.rows ?? []).map(({ lane, state, cells }, row) => ({
      lane,
      state,
      cells: cells.map(({ kind, outcome, standsFor, example }, index) => ({
        kind,
        outcome,
        // A person asks how many faults come to it, and not how many were played for them.
        count: standsFor,
        command: commandOf(example),
        sequence: sequences.get(`${row} ${index}`) ?? null,
      })),
    })),
  };
}
