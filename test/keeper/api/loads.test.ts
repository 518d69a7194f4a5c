/** A keeper answers, and a client asks, without a library of schemas: there are many of both, and it takes memory. */
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../../support/tdctl.ts';

/** What is loaded with a file; types alone are not. */
function loadedWith(entry: string): { files: Set<string>; packages: Set<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string) => {
    if (files.has(file)) return;
    files.add(file);
    const text = readFileSync(file, 'utf8');
    const loads = /^(?:import(?! type)|export(?! type))[^;]*? from '([^']+)';|^import '([^']+)';/gm;
    for (const [, from, bare] of text.matchAll(loads)) {
      const name = from ?? bare ?? '';
      if (name.startsWith('.')) visit(resolve(dirname(file), name));
      else packages.add(name);
    }
  };
  visit(join(projectRoot, entry));
  return { files, packages };
}

test.each(['src/keeper/api/server.ts', 'src/keeper/client.ts'])('%s', (entry) => {
  const { files, packages } = loadedWith(entry);
  expect(files.size).toBeGreaterThan(15);
  expect([...packages].filter((name) => !name.startsWith('node:'))).toEqual([]);
});
