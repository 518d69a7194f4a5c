import { spawnSync } from 'node:child_process';
import type { TestContext } from 'vitest';

export function skipWithoutBinutils(context: TestContext): void {
  const tools = ['as', 'ld', 'objcopy'];
  for (const tool of tools) {
    const { error } = spawnSync(tool, ['--version']);
    if (error) context.skip(`${error.message}: the package binutils is not here`);
  }
}
