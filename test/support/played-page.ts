/** A page whose commands are typed, one after the other: each prints what the page shows. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { builtMain, projectRoot } from './built.ts';
import { pageSteps, shownPattern } from './page-steps.ts';

/** What happens before the commands of a heading, and is no command of the page. */
type Before = Readonly<Record<string, () => void>>;

/** @returns what plays it, and tells how many commands there were. */
export function playedPage(page: string, before: Before = {}): () => number {
  const cwd = mkdtempSync(join(tmpdir(), 'tdctl-page-'));
  const shell = (commands: string) => {
    const script = `tdctl() { "$NODE" "$TDCTL" "$@"; }\n${commands}`;
    const env = { ...process.env, NODE: process.execPath, TDCTL: builtMain(), NO_COLOR: '1' };
    return spawnSync('bash', ['-c', script], { cwd, env, encoding: 'utf8' });
  };
  beforeAll(() =>
    cpSync(join(projectRoot, 'examples'), join(cwd, 'examples'), { recursive: true }),
  );
  afterAll(() => {
    shell('tdctl kill --all --wait');
    rmSync(cwd, { recursive: true });
  });
  return () => {
    const steps = pageSteps(page);
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
    return steps.length;
  };
}
