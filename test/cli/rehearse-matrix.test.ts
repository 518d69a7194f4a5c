/** Rehearsal files under several kernels, with many TDs, and what of it is a finding. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { listenForInterrupts } from '../../src/cli/interrupts.ts';
import { showMatrix } from '../../src/cli/rehearse/matrix/show-matrix.ts';
import { progressOf } from '../../src/cli/rehearse/progress.ts';
import { TdctlError, type TdctlErrorCode } from '../../src/errors/index.ts';
import { cli, terminal } from '../support/cli.ts';
import { projectRoot } from '../support/tdctl.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tdctl-matrix-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const fleet = join(projectRoot, 'examples/rehearsals/fleet.yaml');
const hello = JSON.stringify(join(projectRoot, 'examples/hello.yaml'));

interface Given {
  readonly spec: string;
  readonly options?: readonly string[];
  readonly count?: number;
}

/** A Rehearsal of TDs named web, with this `spec`. */
function rehearse({ spec, options = [], count = 2 }: Given) {
  const file = join(scratch, 'rehearsal.yaml');
  const tds = `tds: [{ name: web, spec: ${hello}, count: ${count} }]`;
  writeFileSync(
    file,
    `apiVersion: tdctl.io/v1alpha1
kind: Rehearsal
metadata: { name: matrix }
spec:
  ${tds}
${spec}`,
  );
  return cli(['rehearse', file, ...options]);
}

const json = ['-o', 'json'];
const moves = `
  kernels: [rfc-migration-v2, upstream-7.3]
  operations:
    - provision: web
    - migrate: { td: web, expect: completed, expectUnder: { upstream-7.3: sourceKept } }
    - stop: web
`;

describe('several kernels', () => {
  test('the example comes out as it expects', async () => {
    const { exitCode, stdout } = await cli(['rehearse', fleet]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/rfc-migration-v2 +as asked +40 done, 20 completed +20 +nothing/);
  });

  test('every format names every kernel and what it came to', async () => {
    const words = {
      text: 'as asked',
      markdown: 'as asked',
      yaml: 'exitCode: 0',
      junit: 'failures="0"',
    };
    for (const [format, word] of Object.entries(words)) {
      const { exitCode, stdout } = await rehearse({ spec: moves, options: ['-o', format] });
      expect({ format, exitCode }).toEqual({ format, exitCode: 0 });
      for (const each of ['rfc-migration-v2', 'upstream-7.3', word]) expect(stdout).toContain(each);
    }
  });

  test('each kernel is judged by what is expected under it, and the worst gives the exit code', async () => {
    const good = await rehearse({ spec: moves, options: json });
    expect(good.exitCode).toBe(0);
    const matrix = JSON.parse(good.stdout);
    expect(matrix).toMatchObject({ kind: 'tdctl.RehearsalMatrix', version: 1, exitCode: 0 });
    expect(matrix.kernels.map(({ kernel }: { kernel: { id: string } }) => kernel.id)).toEqual([
      'rfc-migration-v2',
      'upstream-7.3',
    ]);
    const bad = await rehearse({
      spec: moves.replace(', expectUnder: { upstream-7.3: sourceKept }', ''),
      options: json,
    });
    expect(bad.exitCode).toBe(6);
    const codes = JSON.parse(bad.stdout).kernels.map((row: { exitCode: number }) => row.exitCode);
    expect(codes).toEqual([0, 6]);
    expect(bad.stderr).toContain('1 of 2 kernels did not come out as asked');
    expect(bad.stderr).toContain('migrate web-1: expected completed, was sourceKept');
  });

  test('a row is what `--kernel` alone comes to', async () => {
    const spec = moves.replace('upstream-7.3]', 'upstream-7.3, series-v9]');
    const whole = JSON.parse((await rehearse({ spec, options: json })).stdout);
    for (const { kernel, exitCode, rehearsal } of whole.kernels) {
      const alone = await rehearse({ spec, options: ['--kernel', kernel.id, ...json] });
      expect(alone.exitCode).toBe(exitCode);
      expect(JSON.parse(alone.stdout)).toEqual(rehearsal);
    }
  });

  test('JUnit has a suite for each kernel, with a failure where its row has one, and simulated times', async () => {
    const spec = `${moves}  expect: { keySlotsLost: 1 }\n`;
    const { stdout, exitCode } = await rehearse({ spec, options: ['-o', 'junit'] });
    expect(exitCode).toBe(6);
    const suites = [
      ...stdout.matchAll(/<testsuite name="([^"]+)" tests="(\d+)" failures="(\d+)"/g),
    ];
    expect(suites.map(([, name, , failures]) => [name, failures])).toEqual([
      ['matrix (rfc-migration-v2)', '1'],
      ['matrix (upstream-7.3)', '1'],
    ]);
    const { kernels } = JSON.parse((await rehearse({ spec, options: json })).stdout);
    const times = kernels.flatMap(
      ({ rehearsal }: { rehearsal: { run: { results: { startMs: number; endMs: number }[] } } }) =>
        rehearsal.run.results.map(({ startMs, endMs }) => (endMs - startMs) / 1000),
    );
    const printed = [...stdout.matchAll(/classname="operations" name="[^"]+" time="([\d.]+)"/g)];
    expect(printed).toHaveLength(times.length);
    for (const [index, [, time]] of printed.entries()) {
      expect(time).toMatch(/^\d+\.\d{6}$/);
      expect(Math.abs(Number(time) - times[index])).toBeLessThan(3e-6);
    }
    expect(printed.filter(([, time]) => Number(time) > 0).length).toBeGreaterThan(4);
  });

  test('a kernel under which nothing can be played keeps no other from it, and the worst ends it', async () => {
    const codes = [
      'TDCTL_E_EXPECTATION',
      'TDCTL_E_VCPU_LIMIT',
      'TDCTL_E_HOST_UNSUPPORTED',
    ] as const;
    for (const last of [0, 1, 2]) {
      const inOrder = [...codes.slice(last), ...codes.slice(0, last)];
      const { io, written } = terminal();
      const interrupts = listenForInterrupts();
      const shown = showMatrix(
        {
          kernels: inOrder,
          host: 'sim',
          options: { file: 'file.yaml', seed: '1', runs: '1', fault: [], output: 'junit' },
          interrupts,
          progress: progressOf(io),
          playUnder: async (code) => {
            throw new TdctlError({
              code: code as TdctlErrorCode,
              op: 'play',
              message: `no ${code}`,
            });
          },
        },
        io,
      );
      await expect(shown).rejects.toMatchObject({ code: 'TDCTL_E_VCPU_LIMIT' });
      interrupts.done();
      for (const code of codes) expect(written.stdout).toContain(`no ${code}`);
      expect(written.stdout).toContain('tests="3" failures="3"');
    }
  });

  test('a page, a real host and a name that is no kernel are refused with what to do', async () => {
    const page = await rehearse({ spec: moves, options: ['--html', join(scratch, 'page.html')] });
    expect(page).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--kernel') });
    const real = await rehearse({ spec: moves, options: ['--host', 'kvm'] });
    expect(real).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--host sim') });
    const wrong = await rehearse({ spec: moves.replace('upstream-7.3]', 'upstream-7.4]') });
    expect(wrong).toMatchObject({ exitCode: 5, stderr: expect.stringContaining('upstream-7.3') });
  });

  test('--compare judges by the file too, and has a suite for each kernel', async () => {
    const compare = ['--compare', 'rfc-migration-v2,upstream-7.3', '-o', 'junit'];
    const good = await rehearse({ spec: moves, options: compare, count: 1 });
    expect(good.exitCode).toBe(0);
    expect(good.stdout.match(/<testsuite /g)).toHaveLength(2);
    expect(good.stdout).toMatch(/name="migrate web" time="0\.00\d*[1-9]\d*"/);
    const bad = await rehearse({
      spec: moves.replace('upstream-7.3: sourceKept', 'upstream-7.3: lost'),
      options: compare,
      count: 1,
    });
    expect(bad.exitCode).toBe(6);
    expect(bad.stdout).toContain('<failure message="migrate web: expected lost, was sourceKept');
  });
});

describe('many TDs of one spec', () => {
  test('an operation on the name is one on each, and one of them can be named', async () => {
    const spec = `
  kernel: rfc-migration-v2
  operations: [{ provision: web }, { stop: web-2 }, { migrate: web-1 }, { stop: web-1 }, { stop: web-3 }]
`;
    const { stdout, exitCode } = await rehearse({ spec, options: json, count: 3 });
    expect(exitCode).toBe(0);
    const { results, keySlotUse } = JSON.parse(stdout).run;
    expect(results.map(({ operation }: { operation: string }) => operation)).toEqual([
      ...[1, 2, 3].map((number) => `provision web-${number}`),
      'stop web-2',
      'migrate web-1',
      'stop web-1',
      'stop web-3',
    ]);
    expect(keySlotUse.peak).toBe(3);
  });

  test('they come one after the other, and at the same time inside `together`', async () => {
    const startsOf = async (operation: string) => {
      const spec = `  operations: [${operation}]\n  strict: false\n`;
      const { stdout } = await rehearse({ spec, options: json, count: 4 });
      const { results } = JSON.parse(stdout).run;
      return results.map(({ startMs }: { startMs: number }) => startMs);
    };
    expect(new Set(await startsOf('{ together: [{ provision: web }] }')).size).toBe(1);
    const inOrder = await startsOf('{ provision: web }');
    expect(new Set(inOrder).size).toBe(4);
    expect(inOrder).toEqual([...inOrder].sort((a, b) => a - b));
  });
});

describe('strict', () => {
  /** Each asks for something that does not come, under a kernel that moves no TDs. */
  const missed = {
    'a fault that the run never came to': [
      "fault: ['KVM_CREATE_VCPU#99=ENOMEM']\n  operations: [{ provision: web }]",
      'fault KVM_CREATE_VCPU#99=ENOMEM: the run never came to it',
    ],
    'a move that was not played': [
      'operations: [{ provision: web }, { migrate: web }]',
      'migrate web: expected to go through, was sourceKept',
    ],
    'an operation that was skipped': [
      "fault: ['KVM_CREATE_VCPU=tdctl-dies']\n  operations: [{ provision: { td: web, expect: refused } }, { stop: web }]",
      'stop web: expected to go through, was skipped',
    ],
    'a number that is another one': [
      'operations: [{ provision: web }]\n  expect: { peakSlots: 2 }',
      'peakSlots: expected 2, was 1',
    ],
  } as const;

  test.each(Object.entries(missed))(
    '%s is a finding, and without strict a note',
    async (_, [spec, words]) => {
      const given = { spec: `  kernel: upstream-7.3\n  ${spec}\n`, count: 1 };
      const strict = await rehearse(given);
      expect(strict.exitCode).toBe(6);
      expect(strict.stderr).toContain(words);
      const lenient = { ...given, spec: `${given.spec}  strict: false\n` };
      expect((await rehearse(lenient)).exitCode).toBe(0);
      const data = await rehearse({ ...lenient, options: json });
      expect(data.exitCode).toBe(0);
      expect(JSON.parse(data.stdout).notAsAsked.join('\n')).toContain(words);
      const junit = await rehearse({ ...lenient, options: ['-o', 'junit'] });
      expect(junit.stdout).toContain('failures="0"');
      expect((await rehearse({ ...given, options: ['-o', 'junit'] })).stdout).toContain('<failure');
    },
  );
});
