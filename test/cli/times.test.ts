/** Times in data are those of the machine that is shown, and are whole microseconds. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { dataValue } from '../../src/documents/data-values.ts';
import { cli } from '../support/cli.ts';
import { projectRoot } from '../support/tdctl.ts';

const hello = join(projectRoot, 'examples/hello.yaml');
const scratch = mkdtempSync(join(tmpdir(), 'tdctl-times-'));
afterAll(() => rmSync(scratch, { recursive: true }));

describe('on a simulated host', () => {
  test('equal runs are told with equal times, in the stream and for each request in the log', async () => {
    const runs = [];
    for (const name of ['first', 'second']) {
      const log = join(scratch, `${name}.log`);
      const logged = ['--log-level', 'debug', '--log-file', log];
      const run = ['run', hello, '--host', 'sim', '--until', 'runnable', '-o', 'json', ...logged];
      const { stdout } = await cli(run);
      const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
      runs.push({
        stdout,
        // When a line was logged is the time of this machine.
        log: lines.map((line) => ({ ...JSON.parse(line), time: 0 })),
      });
    }
    expect(runs[1]).toEqual(runs[0]);
    const answered = runs[0]?.log.filter(({ op }) => op === 'request.answered') ?? [];
    expect(answered.length).toBeGreaterThan(10);
    const creating = answered.find(({ request }) => request === 'KVM_CREATE_VM');
    expect(creating?.durationMs).toBe(0.5);
  });

  test.each([
    ['run', hello, '--host', 'sim', '--until', 'runnable'],
    ['rehearse', hello, '--kernel', 'rfc-migration-v2'],
    ['rehearse', hello, '--compare', 'rfc-migration-v2'],
  ])('%s tells whole microseconds', async (...command) => {
    const { stdout } = await cli([...command, '-o', 'json']);
    const times = [...stdout.matchAll(/"(?:\w*M|m)s": ?(-?[\d.e+-]+)/g)].map(([, time]) => time);
    expect(times.length).toBeGreaterThan(0);
    expect(times.filter((time) => !/^\d+(\.\d{1,3})?$/.test(time ?? ''))).toEqual([]);
  });
});

test('a time in data is at most half a microsecond off, and has at most three decimals (property)', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), (atMs) => {
      const printed = JSON.parse(JSON.stringify({ atMs, count: atMs }, dataValue));
      expect(Math.abs(printed.atMs - atMs)).toBeLessThanOrEqual(0.0005 + 1e-6);
      expect(String(printed.atMs)).toMatch(/^\d+(\.\d{1,3})?$/);
      expect(printed.count).toBe(atMs);
    }),
  );
});
