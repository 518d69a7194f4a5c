/** A page carries its client/ modules as one script, which scripts/inline-clients.mjs makes. */
import { existsSync, readFileSync } from 'node:fs';

export type ClientName = 'graph' | 'rehearse' | 'watch';

/** The places are as seen from dist/src/visualize/page/, and from the sources, which the tests run. */
const places = ['../../../pages/', '../../../dist/pages/'];

export function clientScript(name: ClientName): string {
  const files = places.map((place) => new URL(`${place}${name}.js`, import.meta.url));
  const built = files.find((file) => existsSync(file));
  if (built === undefined) {
    throw new Error(`dist/pages/${name}.js is missing; \`npm run build\` makes it`);
  }
  return readFileSync(built, 'utf8');
}
