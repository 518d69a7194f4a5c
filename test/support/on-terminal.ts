/** A command on a terminal of its own (test/fixtures/terminal/on-terminal.py). */
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { projectRoot } from './built.ts';

const script = join(projectRoot, 'test/fixtures/terminal/on-terminal.py');

export function skipWithoutPython(context: TestContext): void {
  if (spawnSync('python3', ['-c', 'import pty']).status !== 0) {
    context.skip('python3 is not here, which makes the terminal');
  }
}

interface Ended {
  readonly exitCode: number;
  readonly modesAreAsBefore: boolean;
}

export function onTerminal(command: readonly string[]) {
  const { FORCE_COLOR: _, ...env } = process.env;
  const child = spawn('python3', [script, ...command], {
    cwd: projectRoot,
    env: { ...env, NO_COLOR: '1', TERM: 'xterm-256color', COLUMNS: '100' },
  });
  let told = '';
  const screen = { text: '' };
  const waiting = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen.text += text;
    for (const check of waiting) check();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    told += text;
    for (const check of waiting) check();
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => {
      const [, last = ''] = told.trim().split('\n');
      try {
        resolve(JSON.parse(last));
      } catch {
        reject(new Error(`the terminal did not tell how it ended: ${told}${screen.text}`));
      }
    });
  });
  const waitFor = (isThere: () => boolean, what: string) =>
    new Promise<void>((resolve, reject) => {
      const check = () => {
        if (!isThere()) return;
        waiting.delete(check);
        resolve();
      };
      waiting.add(check);
      check();
      ended.then(
        () => reject(new Error(`ended before ${what}\n${screen.text}`)),
        (error) => reject(error),
      );
    });
  return {
    screen,
    ended,
    /** Resolves when the screen has shown this so many times. */
    shows: (text: string, times = 1) =>
      waitFor(() => screen.text.split(text).length > times, `it showed ${JSON.stringify(text)}`),
    type: (text: string) => void child.stdin.write(text, 'latin1'),
    /** The process of the command. */
    async pid(): Promise<number> {
      await waitFor(() => told.includes('\n'), 'it had a process');
      return JSON.parse(told.split('\n')[0] ?? '').pid;
    },
  };
}
