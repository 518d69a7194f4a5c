/** No answer claims what the log does not show: each rests on its line, and goes with it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Explanation } from '../../../src/diagnosis/explain/index.ts';
import { attestationCases } from './cases/attestation.ts';
import type { Case } from './cases/case.ts';
import { guestCases } from './cases/guest.ts';
import { healthyCases } from './cases/healthy.ts';
import { hostCases } from './cases/host.ts';
import { trialCases } from './cases/trials.ts';
import { diagnose } from './read-fixture.ts';

const folder = join(import.meta.dirname, '../../fixtures/explain');
const linesOf = ({ log }: Case): readonly string[] =>
  typeof log === 'string' ? readFileSync(join(folder, log), 'utf8').trimEnd().split('\n') : log;

const logs = [...hostCases, ...guestCases, ...attestationCases, ...healthyCases, ...trialCases].map(
  linesOf,
);
const explain = async (lines: readonly string[]) =>
  (await diagnose(`${lines.join('\n')}\n`)).explanations;

const sameAs = (one: Explanation) => (other: Explanation) =>
  other.answer.id === one.answer.id && other.answer.meaning === one.answer.meaning;

/** Of several lines together; what a boot says as a whole has no message. */
const isOfOneLine = ({ message, status, refusal }: Explanation) =>
  (message ?? status ?? refusal) !== undefined;

/** What only the log of a TD means needs a line that shows whose log it is. */
const placeOf = ({ answer, message }: Explanation) =>
  message?.inGuest?.id === answer.id ? ['tdx: Guest detected'] : [];

/** Long lines are cut where they are shown. */
const isShownWhole = ({ text }: Explanation) => !text.endsWith('…');

test('the answers of every log of the table are looked at', async () => {
  const answers = (await Promise.all(logs.map(explain))).flat();
  expect(answers.length).toBeGreaterThan(logs.length / 2);
});

test('an answer goes when the lines go that say it', async () => {
  const kept: string[] = [];
  for (const lines of logs) {
    for (const one of await explain(lines)) {
      let rest = [...lines];
      // Each time that it is said, in other words or at another time.
      for (let times = 0; times < one.count; times += 1) {
        const again = (await explain(rest)).find(sameAs(one));
        if (again === undefined) break;
        expect(again.line).toBeLessThanOrEqual(rest.length);
        rest = rest.toSpliced(again.line - 1, 1);
      }
      if ((await explain(rest)).some(sameAs(one))) kept.push(`${one.answer.id}: ${one.text}`);
    }
  }
  expect(kept).toEqual([]);
});

test('what is shown of an answer says it by itself', async () => {
  const unsaid: string[] = [];
  for (const lines of logs) {
    for (const one of (await explain(lines)).filter(isOfOneLine).filter(isShownWhole)) {
      const ofLine = await explain([...placeOf(one), one.text]);
      const own = [one.message?.answer?.id, one.message?.inGuest?.id, one.answer.id];
      if (!ofLine.some(({ answer }) => own.includes(answer.id)))
        unsaid.push(`${one.answer.id}: ${one.text}`);
    }
  }
  expect(unsaid).toEqual([]);
});

test('an answer about the whole log shows a line of it', async () => {
  for (const lines of logs) {
    const whole = lines.join(' ').replace(/\s+/g, '');
    for (const one of (await explain(lines)).filter((each) => !isOfOneLine(each)))
      expect(whole).toContain(one.text.replace(/\s+/g, '').slice(0, 100));
  }
});
