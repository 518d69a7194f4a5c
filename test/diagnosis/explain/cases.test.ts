/** Logs as they were met, each with its answers in their order. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { attestationCases } from './cases/attestation.ts';
import type { Case } from './cases/case.ts';
import { foreignCases } from './cases/foreign.ts';
import { guestCases } from './cases/guest.ts';
import { healthyCases } from './cases/healthy.ts';
import { hostCases } from './cases/host.ts';
import { trialCases } from './cases/trials.ts';
import { diagnose, ids } from './read-fixture.ts';

const folder = join(import.meta.dirname, '../../fixtures/explain');

const bytesOf = ({ log }: Case) =>
  typeof log === 'string' ? readFileSync(join(folder, log)) : Buffer.from(`${log.join('\n')}\n`);

const nameOf = ({ from, log }: Case) => `${from}: ${typeof log === 'string' ? log : log[0]}`;

const cases = [
  ...hostCases,
  ...guestCases,
  ...attestationCases,
  ...healthyCases,
  ...foreignCases,
  ...trialCases,
];

test('there are 60 cases, and a third of them accuse nobody', () => {
  expect(cases.length).toBeGreaterThanOrEqual(60);
  const harmless = cases.filter(({ isHealthy }) => isHealthy);
  expect(harmless.length * 3).toBeGreaterThanOrEqual(cases.length);
});

describe('a log has its answers, the first one first', () => {
  test.each(cases.map((one) => ({ ...one, name: nameOf(one) })))('$name', async (one) => {
    const diagnosis = await diagnose(bytesOf(one));
    expect(ids(diagnosis).slice(0, one.ids.length)).toEqual(one.ids);
    if (one.ids.length === 0) expect(ids(diagnosis)).toEqual([]);
    if (one.isHealthy !== true) return;
    const accused = diagnosis.explanations.filter(
      ({ answer: { rank } }) => rank !== 'note' && rank !== 'healthy',
    );
    expect(accused.map(({ answer }) => answer.id)).toEqual([]);
    expect(diagnosis.notKnown).toEqual([]);
  });
});
