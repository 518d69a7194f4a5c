/** The description of the API: what the file says is what a keeper answers, and the other way round. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openApiText } from '../../../src/cli/output/contract/keeper-api.ts';
import { serveKeeper } from '../../../src/keeper/api/server.ts';
import { type Asking, ask } from '../../support/ask-socket.ts';
import { keptForTest } from '../../support/kept-surface.ts';
import { projectRoot } from '../../support/tdctl.ts';

const path = join(projectRoot, 'schema/keeper-api.openapi.json');
const description = JSON.parse(readFileSync(path, 'utf8'));

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function serve() {
  const kept = await keptForTest();
  const { socketPath } = kept;
  const server = await serveKeeper({ surface: kept, socketPath });
  ends.push(
    () => server.close(),
    () => kept.end(),
  );
  return { kept, socketPath };
}

/** The schema of the file as something that judges a value. */
function judgeOf(schema: unknown) {
  const text = JSON.stringify({ ...(schema as object), $defs: description.components.schemas });
  return z.fromJSONSchema(JSON.parse(text.replaceAll('"#/components/schemas/', '"#/$defs/')));
}

interface Described {
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: unknown }>> }>
  >;
}

function describedAnswer(method: string, at: string, status: number) {
  const operation = description.paths[at][method.toLowerCase()] as Described;
  const { responses } = operation;
  return responses[status] ?? responses[`${Math.floor(status / 100)}XX`];
}

describe('the description of the API', () => {
  test('is what `npm run schema` writes', async () => {
    await expect(openApiText()).toMatchFileSnapshot(path);
  });

  test('has no reference that leads nowhere', () => {
    const text = JSON.stringify(description);
    const named = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)];
    expect(named.length).toBeGreaterThan(5);
    expect(Object.keys(description.components.schemas)).toEqual(
      expect.arrayContaining([...new Set(named.map(([, name]) => name))]),
    );
  });

  test('is what a keeper serves', async () => {
    const { socketPath } = await serve();
    const { text } = await ask(socketPath, '/v1/openapi.json');
    expect(JSON.parse(text)).toEqual(description);
  });

  const post = (body?: string): Asking => ({
    method: 'POST',
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body }),
  });

  test.each<[string, Asking, number]>([
    ['/v1', {}, 200],
    ['/v1/td', {}, 200],
    ['/v1/td/start', post(), 200],
    ['/v1/td/resume', post(), 409],
    ['/v1/td/pause', post('{"now": true}'), 400],
    ['/v1/td/stop', post('{"graceMs": 0}'), 202],
    ['/v1/td/stop', post('{"graceMs": -1}'), 400],
    ['/v1/td/kill', post(), 202],
    ['/v1/next', post('{"program": "/usr/lib/tdctl/dist/keeper.js"}'), 409],
    ['/v1/next', post('{"program": "keeper.js"}'), 400],
    ['/v1/metrics', {}, 200],
    ['/v1/console', {}, 200],
    ['/v1/openapi.json', {}, 200],
  ])('%s %o: the answer %i has the form that is described', async (at, asking, status) => {
    const { socketPath } = await serve();
    const answer = await ask(socketPath, at, asking);
    expect(answer.status).toBe(status);
    const { content = {} } = describedAnswer(asking.method ?? 'GET', at, status) ?? {};
    const [type, form] = Object.entries(content)[0] ?? [];
    expect(answer.headers['content-type']).toBe(type);
    const value = type === 'application/json' ? JSON.parse(answer.text) : answer.text;
    expect(judgeOf(form?.schema).safeParse(value).error?.issues).toBeUndefined();
  });

  test('a judge of it judges', () => {
    const judge = judgeOf({ $ref: '#/components/schemas/tdctl.Acted' });
    expect(judge.safeParse({ kind: 'tdctl.Acted', version: 1, changed: true }).success).toBe(false);
    expect(judge.safeParse({ kind: 'tdctl.Td' }).success).toBe(false);
  });

  test('the records of the stream have the form that is described', async () => {
    const { kept, socketPath } = await serve();
    await ask(socketPath, '/v1/td/start', { method: 'POST' });
    kept.note({ kind: 'queued', ticket: 't' });
    kept.note({ kind: 'refused', peer: { pid: 1, uid: 2 } });
    kept.note({ kind: 'over', outcome: 'destroyed', leftoverCount: 0 });
    const { text } = await ask(socketPath, '/v1/events', { until: '"kind":"over"' });
    const records = [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? ''));
    expect(new Set(records.map(({ kind }) => kind)).size).toBeGreaterThan(5);
    const stream = describedAnswer('GET', '/v1/events', 200)?.content?.['text/event-stream'];
    const judge = judgeOf((stream as Record<string, unknown>)['x-event-data']);
    for (const record of records) expect(judge.safeParse(record).error?.issues).toBeUndefined();
  });
});
