/** The built tdctl, for tests that start it. They would else judge what was built yesterday. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const projectRoot = join(import.meta.dirname, '../..');

let stale: readonly string[] | undefined;

/** The file that `node` runs. Throws where dist/ was not built from the sources that are here. */
export function builtMain(): string {
  stale ??= staleSources(projectRoot);
  if (stale.length > 0) {
    const others = stale.length === 1 ? '' : ` and ${stale.length - 1} more`;
    throw new Error(`dist/ is not built from ${stale[0]}${others} as it is now: npm run build`);
  }
  return join(projectRoot, 'dist/src/cli/main.js');
}

/** Those that have changed since the build, or come after it. */
export function staleSources(root: string): readonly string[] {
  return ['src', 'machines', 'native'].flatMap((directory) =>
    readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
      // Scripts of pages are made otherwise; test/visualize/clients.test.ts looks at those.
      .filter((name) => name.endsWith('.ts') && !name.includes('/client/'))
      .map((name) => join(directory, name))
      .filter((file) => builtText(root, file) !== readFileSync(join(root, file), 'utf8')),
  );
}

/** A source map holds the text it was made from. Times would tell less: a checkout makes all new. */
function builtText(root: string, file: string): string | undefined {
  const map = join(root, 'dist', file.replace(/ts$/, 'js.map'));
  return existsSync(map) ? JSON.parse(readFileSync(map, 'utf8')).sourcesContent[0] : undefined;
}
