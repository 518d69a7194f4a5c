/** Kept TDs for tests: files to create them from, and their end. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { cli } from './cli.ts';
import { projectRoot } from './tdctl.ts';

const hello = readFileSync(join(projectRoot, 'examples/hello.yaml'), 'utf8').replace(
  /firmware: /,
  `firmware: ${join(projectRoot, 'examples')}/`,
);

/**
 * What a test file that keeps TDs needs. Whatever its tests leave is ended with it: no keeper outlives them.
 */
export function keeping() {
  const scratch = mkdtempSync(join(tmpdir(), 'tdctl-kept-'));
  afterAll(async () => {
    await cli(['delete', '--all', '--force']);
    await cli(['kill', '--all', '--wait']);
    rmSync(scratch, { recursive: true });
  });
  return {
    scratch,
    /** The file of a TD of this name; `change` has the text of another TD. */
    spec(name: string, change: (text: string) => string = (text) => text): string {
      const path = join(scratch, `${name}.yaml`);
      writeFileSync(path, change(hello.replace(/name: hello/, `name: ${name}`)));
      return path;
    },
  };
}

/** `list -o json` and the like, read. */
export async function data(args: readonly string[]) {
  const { stdout, exitCode } = await cli([...args, '-o', 'json']);
  return { exitCode, ...JSON.parse(stdout) };
}
