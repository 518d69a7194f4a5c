import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { cli } from '../support/cli.ts';
import { projectRoot, startTdctl } from '../support/tdctl.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tdctl-rehearse-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const hello = 'examples/hello.yaml';
const golden = join(import.meta.dirname, '../golden/rehearse');
const v2 = ['--kernel', 'rfc-migration-v2'];

const rehearse = (...args: readonly string[]) => cli(['rehearse', ...args]);

describe('tdctl rehearse', () => {
  test('shows the timeline of both VMs, the point of no return, and the verdict', async () => {
    const { stdout, stderr, exitCode } = await rehearse(hello, ...v2);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    await expect(stdout).toMatchFileSnapshot(join(golden, 'migration.txt'));
  });

  test('as data it is the contract of docs/rehearsal.md', async () => {
    const { stdout, exitCode } = await rehearse(hello, ...v2, '-o', 'json');
    expect(exitCode).toBe(0);
    await expect(stdout).toMatchFileSnapshot(join(golden, 'migration.json'));
  });

  test.each([
    [['--hops', '0'], 0],
    [[], 8],
  ])('without a kernel that moves TDs and with %j it ends with %i', async (hops, code) => {
    const { stdout, stderr, exitCode } = await rehearse(hello, ...hops, '-o', 'junit');
    expect(exitCode).toBe(code);
    expect(stdout).toContain(`failures="${code === 0 ? 0 : 1}"`);
    expect(/"migrate hello"[^>]*><failure/.test(stdout)).toBe(code !== 0);
    expect(stderr.includes('--hops 0')).toBe(code !== 0);
  });

  test('a fault that never comes is a finding, in every form', async () => {
    const asked = [hello, ...v2, '--fault', 'KVM_CREATE_VCPU#99=ENOMEM'];
    const { stdout, stderr, exitCode } = await rehearse(...asked);
    expect(exitCode).toBe(6);
    expect(stdout).toContain('the run never came to KVM_CREATE_VCPU#99=ENOMEM');
    expect(stderr).toContain('[TDCTL_E_EXPECTATION]');
    const xml = await rehearse(...asked, '-o', 'junit');
    expect(xml.exitCode).toBe(6);
    expect(xml.stdout).toContain('failures="1"');
    expect(xml.stdout).toMatch(/name="KVM_CREATE_VCPU#99=ENOMEM"[^>]*><failure/);
    const json = await rehearse(...asked, '-o', 'json');
    expect(json.exitCode).toBe(6);
    expect(JSON.parse(json.stdout).run.unmet).toEqual(['KVM_CREATE_VCPU#99=ENOMEM']);
  });

  test('a move that is asked for and cannot be is exit 8', async () => {
    const { stderr, exitCode } = await rehearse(hello, '--hops', '1');
    expect(exitCode).toBe(8);
    expect(stderr).toContain('TDCTL_E_HOST_UNSUPPORTED');
    expect(stderr).toContain('--kernel rfc-migration-v2');
  });

  test('a full host is exit 7 under series-v9, and no trouble under proposal-1b', async () => {
    const full = ['--slots-left', '1'];
    const refused = await rehearse(hello, '--kernel', 'series-v9', ...full);
    expect(refused.exitCode).toBe(7);
    expect(refused.stderr).toContain('a key slot that it will never use');
    const passed = await rehearse(hello, '--kernel', 'proposal-1b', ...full);
    expect(passed.exitCode).toBe(0);
  });

  test("a TD that the kernel loses is exit 1, and the loss is the kernel's", async () => {
    const fault = 'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM: allocate=ENOMEM';
    const { stdout, stderr, exitCode } = await rehearse(hello, ...v2, '--fault', fault);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('TDCTL_E_TD_LOST');
    expect(stdout).toMatch(/lost +1 TD, by the kernel/);
  });

  test.each([
    ['--seed', 'x'],
    ['--count', '0'],
    ['--hops', '-1'],
    ['--runs', '1.5'],
  ])('%s %s is refused with the range', async (option, value) => {
    const { stderr, exitCode } = await rehearse(hello, `${option}=${value}`);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`\`${value}\` is no whole number from`);
  });

  test.each([
    ['an unknown fault', ['--fault', 'KVM_CREATE_VCPUS=ENOMEM'], 'did you mean KVM_CREATE_VCPU?'],
    ['an unknown death', ['--fault', 'KVM_CREATE_VCPUX=tdctl-dies'], 'did you mean'],
    ['an unknown kernel', ['--compare', 'series-v8'], 'did you mean series-v9?'],
    ['an unknown host', ['--host', 'sun'], 'no host `sun`'],
    ['faults on a real host', ['--host', 'kvm', '--faults', 'each'], 'is real'],
    ['more free slots than there are', [...v2, '--slots-left', '999'], 'the host has 63'],
    ['a full real host', ['--host', 'kvm', '--slots-left', '1'], 'is real'],
    ['markdown of one kernel', ['-o', 'markdown'], 'only a comparison'],
  ])('%s is refused, with what was probably meant', async (_, args, words) => {
    const { stderr, exitCode } = await rehearse(hello, ...args);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(words);
  });

  test('says what each fault does at each step, and shows it on a page that opens no address', async () => {
    const page = join(scratch, 'page.html');
    const each = ['--faults', 'each', '--proofs', '--html', page];
    const { stdout, exitCode } = await rehearse(hello, ...v2, ...each);
    expect(exitCode).toBe(0);
    await expect(stdout).toMatchFileSnapshot(join(golden, 'faults-each.txt'));
    const html = readFileSync(page, 'utf8');
    expect(html).toContain("default-src 'none'");
    expect(html).not.toMatch(/(src|href)="?https?:/);
    const cells = html.match(/data-cell=/g)?.length ?? 0;
    const data = JSON.parse(
      /<script type="application\/json" id="data">(.*)<\/script>/.exec(html)?.[1] ?? '',
    );
    const sequences = data.rows.flatMap(({ cells: of }: { cells: { sequence: unknown }[] }) => of);
    expect(sequences).toHaveLength(cells);
    expect(
      sequences.every(({ sequence }: { sequence: number[] | null }) => (sequence?.length ?? 0) > 0),
    ).toBe(true);
  });

  test('a fault of every run is in the runs of the sweep too', async () => {
    const always = ['--fault', 'KVM_CREATE_VCPU#3=ENOMEM'];
    const { stdout } = await rehearse(hello, ...v2, ...always, '--faults', 'each', '-o', 'json');
    const { sweep } = JSON.parse(stdout);
    expect(sweep.always).toEqual(['KVM_CREATE_VCPU#3=ENOMEM']);
    expect(sweep.outcomes.unharmed).toBeUndefined();
  });

  test('faults by chance name their seed', async () => {
    const random = ['--faults', 'random', '--runs', '20'];
    const texts = await Promise.all(
      ['7', '7', '8'].map((seed) => rehearse(hello, ...v2, ...random, '--seed', seed)),
    );
    const [first, again, other] = texts.map(({ stdout }) => stdout);
    expect(first).toContain('Faults (random, seed 7): 20 of 20 runs played');
    expect(again).toBe(first);
    expect(other?.replace('seed 8', 'seed 7')).not.toBe(first);
  });

  test('no move is played where none is asked for, and nothing is said of the kernel', async () => {
    const { stdout, stderr, exitCode } = await rehearse(hello, ...v2, '--hops', '0');
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    expect(stdout).not.toContain('move 1');
  });

  test('a page that cannot be written is said so', async () => {
    const { stderr, exitCode } = await rehearse(hello, '--html', join(scratch, 'no', 'page.html'));
    expect(exitCode).toBe(1);
    expect(stderr).toContain('TDCTL_E_NOT_WRITABLE');
  });

  test('Ctrl-C ends a long sweep, prints what was found, and is exit 130', async () => {
    const running = startTdctl(['rehearse', hello, ...v2, '--faults', 'pairs']);
    setTimeout(() => running.child.kill('SIGINT'), 2500);
    const { stdout, exitCode } = await running.ended;
    expect(exitCode).toBe(130);
    expect(stdout).toMatch(/Faults \(pairs\): \d+ of \d+ runs played, interrupted/);
  });
});

/** A Rehearsal of two TDs with this `spec`. */
function rehearseText(spec: string) {
  const file = join(scratch, 'rehearsal.yaml');
  const path = JSON.stringify(join(projectRoot, hello));
  writeFileSync(
    file,
    `apiVersion: tdctl.io/v1alpha1
kind: Rehearsal
metadata: { name: test }
spec:
  tds: [{ name: web, spec: ${path} }, { name: batch, spec: ${path} }]
${spec}`,
  );
  return rehearse(file);
}

describe('Rehearsal files', () => {
  test('the examples come out as they expect', async () => {
    for (const file of ['upgrade', 'full-cgroup']) {
      const { exitCode, stderr } = await rehearse(`examples/rehearsals/${file}.yaml`);
      expect({ file, exitCode, stderr: stderr.trim() }).toMatchObject({ exitCode: 0 });
    }
  });

  test('JUnit has a case for each operation and each step of the sweep', async () => {
    const { stdout, exitCode } = await rehearse(
      'examples/rehearsals/upgrade.yaml',
      '--faults',
      'each',
      '-o',
      'junit',
    );
    expect(exitCode).toBe(0);
    await expect(stdout.replaceAll(/time="[\d.]+"/g, 'time="0"')).toMatchFileSnapshot(
      join(golden, 'upgrade.xml'),
    );
  });

  test('an expectation that fails is exit 6, and a failure for JUnit', async () => {
    const text = readFileSync(join(projectRoot, 'examples/rehearsals/upgrade.yaml'), 'utf8');
    const file = join(scratch, 'wrong.yaml');
    writeFileSync(
      file,
      text
        .replaceAll('../hello.yaml', join(projectRoot, hello))
        .replace('expect: completed', 'expect: lost')
        .replace('keySlotsLost: 0', 'keySlotsLost: 1'),
    );
    const { stdout, stderr, exitCode } = await rehearse(file, '-o', 'junit');
    expect(exitCode).toBe(6);
    expect(stderr).toContain('migrate web: expected lost, was completed');
    expect(stderr).toContain('keySlotsLost: expected 1, was 0');
    expect(stdout).toContain('failures="2"');
  });

  test('the command line goes before the file, and moves are counted in the file only', async () => {
    const file = 'examples/rehearsals/upgrade.yaml';
    const other = await rehearse(file, '--kernel', 'series-v9', '-o', 'json');
    expect(JSON.parse(other.stdout).kernel.id).toBe('series-v9');
    expect(other.exitCode).toBe(6);
    expect(other.stderr).toContain('keySlotsLost: expected 0, was 1');
    const counted = await rehearse(file, '--hops', '3');
    expect(counted.exitCode).toBe(2);
    expect(counted.stderr).toContain('has operations of its own');
  });

  test('operations done together are each compared with what is expected of them', async () => {
    const { stderr, exitCode } = await rehearseText(`
  kernel: rfc-migration-v2
  operations:
    - together: [{ provision: web }, { provision: batch }]
    - together: [{ migrate: { td: web, expect: lost } }, { migrate: batch }]
`);
    expect(exitCode).toBe(6);
    expect(stderr).toContain('migrate web: expected lost, was completed');
  });

  test('a TD that must be refused may be refused, and no other', async () => {
    const full = (expected: string) => `
  slotsLeft: 1
  operations:
    - provision: web
    - provision: ${expected}
  expect: { keySlotsLost: 0 }
`;
    expect(await rehearseText(full('{ td: batch, expect: refused }'))).toMatchObject({
      exitCode: 0,
    });
    const unexpected = await rehearseText(full('batch'));
    expect(unexpected.exitCode).toBe(6);
    expect(unexpected.stderr).toContain('provision batch: expected to go through, was refused');
  });

  test('every mistake is shown with its place', async () => {
    const file = join(scratch, 'mistakes.yaml');
    const text = readFileSync(join(projectRoot, 'examples/rehearsals/upgrade.yaml'), 'utf8');
    writeFileSync(
      file,
      text
        .replace('provision: batch', 'provision: bach')
        .replace('- pause: batch', '- pauze: batch'),
    );
    const { stderr, exitCode } = await rehearse(file);
    expect(exitCode).toBe(5);
    expect(stderr).toContain('names no TD of this file; did you mean batch?');
    expect(stderr).toContain('is an unknown key; did you mean pause?');
  });
});

describe('--compare', () => {
  test('docs/migration-comparison.md is what the command makes', async () => {
    const { stdout, exitCode } = await rehearse(hello, '--compare', 'all', '-o', 'markdown');
    expect(exitCode).toBe(0);
    const page = readFileSync(join(projectRoot, 'docs/migration-comparison.md'), 'utf8');
    expect(
      stdout === page,
      'run: tdctl rehearse examples/hello.yaml --compare all -o markdown',
    ).toBe(true);
  });

  test('some kernels, as text, in the order they were named', async () => {
    const { stdout, exitCode } = await rehearse(hello, '--compare', 'series-v9,proposal-1b');
    expect(exitCode).toBe(0);
    await expect(stdout).toMatchFileSnapshot(join(golden, 'compare.txt'));
  });
});
