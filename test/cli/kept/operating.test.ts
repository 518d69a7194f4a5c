/** The day of docs/operating.md, command by command: each prints what the page shows. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keptStates } from '../../../src/keeper/state.ts';
import { builtMain, projectRoot } from '../../support/built.ts';
import { pageSteps, shownPattern } from '../../support/page-steps.ts';

const page = readFileSync(join(projectRoot, 'docs/operating.md'), 'utf8');
const cwd = mkdtempSync(join(tmpdir(), 'tdctl-day-'));
const steps = pageSteps(page);

beforeAll(() => cpSync(join(projectRoot, 'examples'), join(cwd, 'examples'), { recursive: true }));
afterAll(() => {
  shell('tdctl kill --all --wait');
  rmSync(cwd, { recursive: true });
});

function shell(commands: string) {
  const script = `tdctl() { "$NODE" "$TDCTL" "$@"; }\n${commands}`;
  const env = { ...process.env, NODE: process.execPath, TDCTL: builtMain(), NO_COLOR: '1' };
  return spawnSync('bash', ['-c', script], { cwd, env, encoding: 'utf8' });
}

/** What happens before the commands of these headings, and no test can do to its machine. */
const before: Readonly<Record<string, () => void>> = {
  'The host was rebooted': () => {
    const path = join(process.env.TDCTL_STATE_DIR ?? '', 'td/blue/status.json');
    const status = JSON.parse(readFileSync(path, 'utf8'));
    process.kill(status.keeper.pid, 'SIGKILL');
    const bootId = '00000000-0000-4000-8000-000000000000';
    writeFileSync(path, JSON.stringify({ ...status, keeper: { ...status.keeper, bootId } }));
  },
};

test('every command prints what the page shows', () => {
  let at = '';
  for (const { heading, command, shown, exitCode } of steps) {
    if (heading !== at) before[heading]?.();
    at = heading;
    const { status, stdout, stderr } = shell(command);
    const text = `${stdout}${stderr}`;
    expect({ command, status, text }).toEqual({
      command,
      status: exitCode,
      text: expect.stringMatching(shownPattern(shown)),
    });
  }
  expect(steps.length).toBeGreaterThan(15);
});

test('the page has every state with its meaning', () => {
  for (const [state, meaning] of Object.entries(keptStates)) {
    expect(page).toContain(`| \`${state}\` | ${meaning} |`);
  }
});
