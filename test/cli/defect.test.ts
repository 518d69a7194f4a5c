/** The stack of a defect names our sources, not what is built of them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../support/built.ts';
import { tdctl } from '../support/tdctl.ts';

/** Runs `code` in the process of tdctl before tdctl. */
const preloading = (code: string) => ({
  env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` },
});

/** What stands in our sources where the first frame that names them points. */
function sourceAt(stderr: string): string {
  const [, file = '', line, column] =
    /^ +at .*?\(?(\/\S+\/src\/\S+\.ts):(\d+):(\d+)/m.exec(stderr) ?? [];
  expect(file.startsWith(join(projectRoot, 'src/'))).toBe(true);
  const text = readFileSync(file, 'utf8').split('\n')[Number(line) - 1] ?? '';
  return text.slice(Number(column) - 1);
}

test('a command that meets a defect names the line of the source where it is', async () => {
  const defect = preloading('JSON.stringify = () => { throw new Error("broken"); };');
  const { exitCode, stderr } = await tdctl(['host', '--host', 'sim', '-o', 'json'], defect);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('[TDCTL_E_INTERNAL]\nError: broken\n');
  expect(sourceAt(stderr)).toMatch(/^stringify\(/);
  expect(stderr).not.toContain('/dist/');
});

test('a defect that no command catches names the line of the source too', async () => {
  const broken = 'new (class extends Error { get code() { throw new Error("broken"); } })()';
  const defect = preloading(
    `process.once("beforeExit", () => process.stdout.emit("error", ${broken}));`,
  );
  const { exitCode, stderr } = await tdctl(['host', '--host', 'sim'], defect);
  expect(exitCode).not.toBe(0);
  expect(stderr).toContain('Error: broken\n');
  expect(sourceAt(stderr)).toMatch(/^code\)/);
});
