import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { cli } from '../support/cli.ts';
import { projectRoot, tdctl } from '../support/tdctl.ts';
import { findProgram } from '../visualize/support/programs.ts';

const directory = mkdtempSync(join(tmpdir(), 'tdctl-graph-'));
afterAll(() => rmSync(directory, { recursive: true }));

const graph = (args: readonly string[]) => cli(['graph', ...args]);
const golden = (name: string) => readFileSync(join(projectRoot, 'test/golden/graph', name), 'utf8');

describe('tdctl graph', () => {
  test('lists the machines', async () => {
    const { exitCode, stdout } = await graph([]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^machine +version +states +transitions\ntd-lifecycle +4 +37 +84 +The life of one/,
    );
  });

  test('prints a tree, and the same one into a file', async () => {
    const { exitCode, stdout, stderr } = await graph(['td-lifecycle']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toBe(golden('td-lifecycle.txt'));
    const path = join(directory, 'tree.txt');
    await tdctl(['graph', 'td-lifecycle', '-o', path], { env: { FORCE_COLOR: '1', NO_COLOR: '' } });
    expect(readFileSync(path, 'utf8')).toBe(stdout);
  });

  for (const extension of ['svg', 'html', 'mmd', 'dot', 'scxml', 'json', 'puml']) {
    test(`takes the form from the ending .${extension}`, async () => {
      const path = join(directory, `life.${extension}`);
      const { exitCode, stdout, stderr } = await graph(['td-lifecycle', '--out', path]);
      expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: '', stderr: '' });
      expect(readFileSync(path, 'utf8')).toBe(golden(`td-lifecycle.${extension}`));
    });
  }

  test('lets --format win over the ending, and writes text forms to standard output', async () => {
    const path = join(directory, 'odd.svg');
    await graph(['td-lifecycle', '--format', 'dot', '-o', path]);
    expect(readFileSync(path, 'utf8')).toBe(golden('td-lifecycle.dot'));
    const { stdout } = await graph(['td-lifecycle', '--format', 'mermaid']);
    expect(stdout).toBe(golden('td-lifecycle.mmd'));
  });

  test('writes fixed colours for a fixed theme, and marks active states', async () => {
    const { stdout } = await graph([
      'td-lifecycle',
      '--format',
      'svg',
      '--theme',
      'dark',
      '--active',
      'provisioning.finalizing',
    ]);
    expect(stdout).not.toContain('var(--');
    expect(stdout.match(/class="state [\w ]*active" data-state="[\w.]+"/g)).toHaveLength(2);
  });

  test('makes a PNG where rsvg-convert is', async (ctx) => {
    if (findProgram('rsvg-convert') === undefined) ctx.skip('rsvg-convert is not installed');
    const path = join(directory, 'life.png');
    expect((await graph(['td-lifecycle', '-o', path])).exitCode).toBe(0);
    const png = readFileSync(path);
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    expect(png.readUInt32BE(16)).toBeGreaterThan(1000);
  });

  test('says what to install where rsvg-convert is not', async () => {
    const { exitCode, stderr } = await tdctl(
      ['graph', 'td-lifecycle', '-o', join(directory, 'no.png')],
      {
        env: { PATH: directory },
      },
    );
    expect(exitCode).toBe(1);
    expect(stderr).toContain('TDCTL_E_TOOL_MISSING');
    expect(stderr).toContain('librsvg2-bin');
  });

  test('prints the shortest path to every state', async () => {
    const { exitCode, stdout } = await graph(['td-lifecycle', '--paths']);
    expect(exitCode).toBe(0);
    await expect(stdout).toMatchFileSnapshot('../golden/graph/td-lifecycle-paths.txt');
  });

  test('prints what a recorded run has been through', async () => {
    const run = await cli([
      'run',
      'examples/hello.yaml',
      '--host',
      'sim',
      '--until',
      'runnable',
      '-o',
      'json',
    ]);
    const path = join(directory, 'run.jsonl');
    writeFileSync(path, run.stdout);
    const { exitCode, stdout } = await graph(['td-lifecycle', '--coverage', path]);
    expect(exitCode).toBe(0);
    await expect(stdout).toMatchFileSnapshot('../golden/graph/td-lifecycle-coverage.txt');
  });

  test('a trace says what its run has been through, as the events of that run do', async () => {
    const trace = join(directory, 'trace.jsonl');
    const sim = ['--host', 'sim', '--until', 'runnable', '--trace', trace];
    await cli(['run', 'examples/hello.yaml', ...sim]);
    const { stdout } = await graph(['td-lifecycle', '--coverage', trace]);
    expect(stdout).toBe(golden('td-lifecycle-coverage.txt'));

    const paths = await graph(['td-lifecycle', '--paths', '--coverage', trace]);
    expect(paths.exitCode).toBe(0);
    expect(paths.stdout).toMatch(/^state +events +visited +shortest path$/m);
    expect(paths.stdout).toMatch(/^runnable +8 +yes /m);
    expect(paths.stdout).toMatch(/^movedAway +\d+ +no /m);
  });
});

describe('tdctl graph refuses', () => {
  const junk = join(directory, 'junk.jsonl');
  writeFileSync(junk, 'not json\n');
  const odd = join(directory, 'odd.jsonl');
  const event = { event: 'state.entered', td: 'web', machine: 'td-lifecycle' };
  writeFileSync(odd, `${JSON.stringify({ ...event, state: 'absent', transitions: 'e1' })}\n`);
  const textTrace = join(directory, 'life.trace');
  writeFileSync(textTrace, '-- hello -> provisioning.creatingVm\n');
  const refusals: Record<string, [args: string[], exitCode: number, ...words: string[]]> = {
    'an unknown machine, and names the nearest': [
      ['td-lifecyle'],
      2,
      'TDCTL_E_USAGE',
      'did you mean td-lifecycle?',
    ],
    'a machine like none, and lists them': [['qqqqqq'], 2, 'there is: td-lifecycle'],
    'an unknown format, and lists them': [
      ['td-lifecycle', '--format', 'gif'],
      2,
      'svg, html, png, mermaid',
    ],
    'an ending that says nothing': [
      ['td-lifecycle', '-o', 'life.bmp'],
      2,
      '".bmp"',
      '--format',
      '.svg',
    ],
    'a file without an ending': [['td-lifecycle', '-o', 'life'], 2, '--format'],
    'a PNG on standard output': [['td-lifecycle', '--format', 'png'], 2, '-o life.png'],
    'options without a machine': [['--paths'], 2, 'td-lifecycle'],
    'an unknown active state, and names the nearest': [
      ['td-lifecycle', '--active', 'runable'],
      2,
      'did you mean runnable?',
    ],
    'a directory that is not there': [
      ['td-lifecycle', '-o', '/nonexistent/life.svg'],
      1,
      'TDCTL_E_NOT_WRITABLE',
      '/nonexistent/life.svg',
    ],
    'events that are not there': [
      ['td-lifecycle', '--coverage', '/nonexistent.jsonl'],
      3,
      'TDCTL_E_NOT_FOUND',
    ],
    'events that are junk, and says where': [
      ['td-lifecycle', '--coverage', junk],
      5,
      'junk.jsonl:1',
      'not JSON',
    ],
    'events whose transitions are no list': [
      ['td-lifecycle', '--coverage', odd],
      5,
      'odd.jsonl:1',
      'transitions are no list of names',
    ],
    'a trace as text, and says which it takes': [
      ['td-lifecycle', '--paths', '--coverage', textTrace],
      5,
      'life.trace:1',
      '--trace FILE.jsonl',
    ],
  };
  for (const [what, [args, exitCode, ...words]] of Object.entries(refusals)) {
    test(what, async () => {
      const ended = await graph(args);
      expect(ended.exitCode).toBe(exitCode);
      expect(ended.stdout).toBe('');
      for (const word of words) expect(ended.stderr).toContain(word);
    });
  }
});
