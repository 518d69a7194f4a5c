/**
 * Runs ELK over a graph, or finds what it said when the package was built.
 *
 * ELK needs most of a second for the life of a TD. The build therefore keeps its answers for the
 * charts that tdctl has (scripts/prepare-layouts.mjs), each under the hash of the whole question: a
 * chart, a label or an option that has changed since is not found, and ELK is asked.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { ELK, ElkNode } from 'elkjs';
import elk from 'elkjs/package.json' with { type: 'json' };
import { packageRoot } from '../../package-root.ts';

export async function placeGraph(graph: ElkNode): Promise<ElkNode> {
  const prepared = preparedFile(graph);
  if (existsSync(prepared)) return JSON.parse(gunzipSync(readFileSync(prepared)).toString());
  return await runElk(graph);
}

/** Gives the file that keeps the answer of this release of ELK to this graph, if the build asked for it. */
export function preparedFile(graph: ElkNode): string {
  const question = JSON.stringify([elk.version, graph]);
  const hash = createHash('sha256').update(question).digest('hex');
  return join(packageRoot(), 'dist/layouts', `${hash}.json.gz`);
}

/** Writes places into the graph itself. */
export async function runElk(graph: ElkNode): Promise<ElkNode> {
  return await loadElk().layout(graph);
}

/** The worker's minified file loads three times as fast as elk.bundled.js, and runs in-process. */
function loadElk(): ELK {
  const require = createRequire(import.meta.url);
  const { default: Elk } = require('elkjs/lib/elk-api.js');
  const { Worker } = require('elkjs/lib/elk-worker.min.js');
  return new Elk({ workerFactory: (url: string) => new Worker(url) });
}
