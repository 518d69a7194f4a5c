/** No option is passed over in silence: what would change nothing is refused, before anything is done. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { cli } from '../support/cli.ts';

const hello = 'examples/hello.yaml';
const scratch = mkdtempSync(join(tmpdir(), 'tdctl-options-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const faulty = join(scratch, 'faulty.yaml');
writeFileSync(
  faulty,
  readFileSync('examples/rehearsals/upgrade.yaml', 'utf8')
    .replaceAll(/spec: (?=\S)/g, `spec: ${process.cwd()}/examples/rehearsals/`)
    .replace(/^spec:$/m, 'spec:\n  fault: [KVM_CREATE_VCPU#1=ENOMEM]'),
);

describe('an option that changes nothing is exit 2', () => {
  test.each([
    ['rehearse', hello, '--seed', '3'],
    ['rehearse', hello, '--runs', '3'],
    ['rehearse', hello, '--faults', 'each', '--runs', '3'],
    ['rehearse', hello, '--compare', 'all', '--proofs'],
    ['rehearse', hello, '--compare', 'all', '--kernel', 'series-v9'],
    ['rehearse', hello, '--compare', 'all', '--seed', '1'],
    ['rehearse', hello, '--compare', 'all', '--fault', 'KVM_RUN=EINTR'],
    ['rehearse', faulty, '--compare', 'all'],
    ['run', '--plan', 'td.plan', '--host', 'sim'],
    ['run', '--plan', 'td.plan', '--kernel', 'series-v9'],
    ['doctor', '--explain', 'bios.key-split', '--all'],
    ['explain', '--list', '0xc000010000000044'],
    ['explain', '--list', '--kernel', 'series-v9'],
    ['fit', hello, '--hosts', 'sim:spr-1.5', '--limit', '3', '-o', 'json'],
    ['graph', '--theme', 'dark'],
    ['graph', 'td-lifecycle', '--theme', 'dark'],
    ['graph', 'td-lifecycle', '--format', 'mermaid', '--theme', 'dark'],
    ['graph', 'td-lifecycle', '--format', 'scxml', '--direction', 'right'],
    ['graph', 'td-lifecycle', '--format', 'dot', '--active', 'runnable'],
    ['graph', 'td-lifecycle', '--paths', '--format', 'svg'],
    ['graph', 'td-lifecycle', '--paths', '--active', 'runnable'],
    ['host', '--host', 'sim', 'capture'],
    ['host', '-o', 'json', 'diff', 'a.json', 'b.json'],
  ])('tdctl %s %s %s %s %s %s', async (...args) => {
    const { exitCode, stdout, stderr } = await cli(args.filter((arg) => arg !== undefined));
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/would change nothing|cannot be used with|the file asks for faults/);
  });
});

test('the same options are taken where they have an effect', async () => {
  for (const args of [
    ['graph', 'td-lifecycle', '--format', 'svg', '--theme', 'dark', '--direction', 'right'],
    ['graph', 'td-lifecycle', '--active', 'runnable'],
    ['fit', hello, '--hosts', 'sim:spr-1.5', '--limit', '0', '--kernel', 'series-v9'],
    ['host', 'capture', '-'],
  ]) {
    expect({ args, exitCode: (await cli(args)).exitCode }).toEqual({ args, exitCode: 0 });
  }
});

test('--compare --html writes a page with a row for each kernel', async () => {
  const page = join(scratch, 'page.html');
  const kernels = ['upstream-7.3', 'series-v9'];
  const { exitCode } = await cli([
    ...['rehearse', hello, '--compare', kernels.join(','), '--html', page],
  ]);
  expect(exitCode).toBe(0);
  expect(existsSync(page)).toBe(true);
  const html = readFileSync(page, 'utf8');
  for (const kernel of kernels) expect(html).toContain(`<tr><td>${kernel}</td>`);
  expect(html).not.toContain('<script');
});
