/** The lines of docs/keeper-api.md are what a keeper answers to. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { routes } from '../../../src/keeper/api/routes.ts';
import { type KeeperServer, serveKeeper } from '../../../src/keeper/api/server.ts';
import { type KeptForTest, keptForTest } from '../../support/kept-surface.ts';
import { projectRoot } from '../../support/tdctl.ts';

const text = readFileSync(join(projectRoot, 'docs/keeper-api.md'), 'utf8');
const lines = [...text.matchAll(/^curl .*$/gm)].map(([line]) => line);

let kept: KeptForTest;
let server: KeeperServer;
beforeAll(async () => {
  kept = await keptForTest();
  kept.log.print(Buffer.from('hello from the guest\n'), 0);
  server = await serveKeeper({ surface: kept, socketPath: kept.socketPath });
});
afterAll(async () => {
  await server.close();
  await kept.end();
});

/** They stand in the document in an order in which they work. */
test.each(lines)('%s', async (line) => {
  const env = { ...process.env, sock: kept.socketPath };
  const silent = line.replace('curl ', 'curl -s --fail-with-body ');
  const { stdout } = await promisify(execFile)('sh', ['-ec', silent], { env });
  expect(stdout).toMatch(/"kind"|openapi|# EOF\n$|hello from the guest/);
});

test('every route stands there', () => {
  const table = text.slice(text.indexOf('| | |'), text.indexOf('## Who may ask'));
  for (const { path } of routes) expect(table).toContain(path.replace(/^\/td\/(?!start)/, ''));
});
