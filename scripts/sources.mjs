// @ts-check
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The hash of each file that goes into what scripts/build.mjs makes. The content, unlike file times, says what is
 * fresh right after any git checkout.
 *
 * @param {string} root
 * @returns {Record<string, string>}
 */
export function sourcesOf(root) {
  const files = ['src', 'machines', 'native', 'scripts'].flatMap((directory) =>
    readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(ts|mjs)$/.test(file))
      .map((file) => join(directory, file)),
  );
  return Object.fromEntries(
    ['package.json', 'package-lock.json', ...files.sort()].map((file) => [
      file,
      createHash('sha256')
        .update(readFileSync(join(root, file)))
        .digest('hex'),
    ]),
  );
}

/**
 * Where it is said of which sources a build was made.
 * @param {string} root @param {'quick' | 'full'} kind
 */
export function stampFile(root, kind) {
  return join(root, `build/${kind}.sources.json`);
}

/**
 * The sources that have changed since a build, or came after it, or went.
 * @param {string} root @param {'quick' | 'full'} kind
 * @param {Record<string, string>} now
 * @returns {readonly string[]}
 */
export function staleSources(root, kind, now = sourcesOf(root)) {
  const stamp = stampFile(root, kind);
  /** @type {Record<string, string>} */
  const built = existsSync(stamp) ? JSON.parse(readFileSync(stamp, 'utf8')) : {};
  return Object.keys({ ...now, ...built }).filter((file) => now[file] !== built[file]);
}
