/** docs/upgrade.md, command by command: each prints what the page shows. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../../support/built.ts';
import { playedPage } from '../../support/played-page.ts';

const play = playedPage(readFileSync(join(projectRoot, 'docs/upgrade.md'), 'utf8'));

test('every command prints what the page shows', () => {
  expect(play()).toBeGreaterThan(4);
});
