/** A rehearsal as a page to read: what came of it, when, and every fault with its run. */

import { visibleXml } from '../../../documents/xml.ts';
import {
  cameTo,
  outcomes,
  type RehearsalReport,
  type ReportedSweep,
  unmetExpectations,
} from '../../../rehearsal/index.ts';
import { pageDocument } from '../../../visualize/page/document.ts';
import { count, formatDuration } from '../../output/units.ts';
import { proofsWords, slotsText, timeWords } from '../report-text.ts';
import { pageStyle } from './page-style.ts';
import type { RehearsalData } from './rehearsal-data.ts';
import type { SequenceTable } from './sequences.ts';
import { slotsSvg } from './slots-svg.ts';
import { TimeScale } from './time-scale.ts';
import { timelineSvg } from './timeline-svg.ts';

export function rehearsalPage(report: RehearsalReport, sequences: SequenceTable): string {
  const { run, sweep } = report;
  const scale = new TimeScale(run.steps.flatMap(({ startMs, endMs }) => [startMs, endMs]));
  return pageDocument({
    title: `Rehearsal of ${report.name}`,
    style: pageStyle,
    data: pageData(report, sequences),
    client: 'rehearse',
    body: `<header>
<h1>Rehearsal of ${visibleXml(report.name)}</h1>
<p>${visibleXml(report.host)}, KVM rules ${visibleXml(report.kernel)}${report.run.clock === 'simulated' ? '. All times are simulated' : ''}.</p>
</header>
<main>
<section><h2>What came of it</h2>${resultsHtml(report)}</section>
<section><h2>Timeline</h2><p class="note">Time is compressed: a step ten times as long is drawn a little wider.</p><div class="wide">${timelineSvg(run, scale)}</div></section>
<section><h2>Key slots</h2><div class="wide">${slotsSvg(run, scale)}</div></section>
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
  const totals = Object.entries(sweep.outcomes).map(
    ([outcome, count]) =>
      `<li><span class="cell ${className(outcome)}"></span> <b>${count}</b> ${visibleXml(outcome)}: ${visibleXml(outcomes[outcome as keyof typeof outcomes])}</li>`,
  );
  const rows = sweep.rows.map(({ lane, state, cells }, row) => {
    const buttons = cells.map(
      ({ kind, outcome, standsFor }, cell) =>
        `<button type="button" class="cell ${className(outcome)}" data-row="${row}" data-cell="${cell}" title="${visibleXml(`${kind}: ${outcome}, ${standsFor} of them`)}" aria-label="${visibleXml(`${kind}: ${outcome}`)}"></button>`,
    );
    return `<tr><th>${visibleXml(lane)}</th><th>${visibleXml(state)}</th><td>${buttons.join('')}</td></tr>`;
  });
  const seed = sweep.seed === undefined ? '' : `, seed ${sweep.seed}`;
  const cut = sweep.cut ? ', interrupted' : '';
  return `<section><h2>Faults</h2>
<p>${sweep.played} of ${sweep.cases} runs (${visibleXml(sweep.which)}${seed}${cut}). Each square is one kind of fault within one step; click it for what happened.</p>
<ul class="legend">${totals.join('')}</ul>
<div class="wide"><table class="matrix">${rows.join('')}</table></div>${violationsHtml(sweep)}</section>`;
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

function className(outcome: string): string {
  return outcome.replaceAll(' ', '-');
}

function pageData(
  { sweep }: RehearsalReport,
  { strings, sequences }: SequenceTable,
): RehearsalData {
  return {
    strings,
    sequences: sequences.size,
    always: sweep?.always ?? [],
    rows: (sweep?.rows ?? []).map(({ lane, state, cells }, row) => ({
      lane,
      state,
      cells: cells.map((cell, index) => ({
        ...cell,
        // A person asks how many faults come to it, and not how many were played for them.
        count: cell.standsFor,
        sequence: sequences.get(`${row} ${index}`) ?? null,
      })),
    })),
  };
}
