// @ts-check
/** What sources load on their way, by their text. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');

/** Without those of types, and those that are loaded when they are needed. */
const imports = /^(?:import|export) (?!type\b)(?:[^;]*? from )?'([^']+)';/gm;

/**
 * The sources themselves, what they import, and so on: paths below the repository, and names of packages.
 * @param {readonly string[]} files paths below the repository
 * @returns {ReadonlySet<string>}
 */
export function loadedFrom(...files) {
  /** @type {Set<string>} */
  const loaded = new Set();
  /** @param {string} file */
  const visit = (file) => {
    if (loaded.has(file)) return;
    loaded.add(file);
    if (!existsSync(join(root, file))) return;
    for (const [, from = ''] of readFileSync(join(root, file), 'utf8').matchAll(imports)) {
      visit(from.startsWith('.') ? relative(root, resolve(root, dirname(file), from)) : from);
    }
  };
  for (const file of files) visit(file);
  return loaded;
}
