/** The day of docs/operating.md, command by command: each prints what the page shows. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { keptStates } from '../../../src/keeper/state.ts';
import { projectRoot } from '../../support/built.ts';
import { playedPage } from '../../support/played-page.ts';

const page = readFileSync(join(projectRoot, 'docs/operating.md'), 'utf8');

const play = playedPage(page, {
  // No test can do this to its machine.
  'The host was rebooted': () => {
    const path = join(process.env.TDCTL_STATE_DIR ?? '', 'td/blue/status.json');
    const status = JSON.parse(readFileSync(path, 'utf8'));
    process.kill(status.keeper.pid, 'SIGKILL');
    const bootId = '00000000-0000-4000-8000-000000000000';
    writeFileSync(path, JSON.stringify({ ...status, keeper: { ...status.keeper, bootId } }));
  },
});

test('every command prints what the page shows', () => {
  expect(play()).toBeGreaterThan(15);
});

test('the page has every state with its meaning', () => {
  for (const [state, meaning] of Object.entries(keptStates)) {
    expect(page).toContain(`| \`${state}\` | ${meaning} |`);
  }
});
