/** The walk of docs/tasks.md: each command is run, prints what the page shows, and answers the task. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { captureOf } from '../../src/diagnosis/capture/index.ts';
import { readFacts } from '../../src/diagnosis/doctor/index.ts';
import { hostTree } from '../diagnosis/doctor/host-tree.ts';
import { requireSupervision } from '../exec/programs.ts';
import { noQemu, qemu } from '../exec/qemu/qemu.ts';
import { cli } from '../support/cli.ts';
import { pageBlocks, pageSteps, shownPattern } from '../support/page-steps.ts';
import { projectRoot, tdctl } from '../support/tdctl.ts';

const page = readFileSync(join(projectRoot, 'docs/tasks.md'), 'utf8');
const cwd = mkdtempSync(join(tmpdir(), 'tdctl-tasks-'));
afterAll(() => rmSync(cwd, { recursive: true }));

const blocks = pageBlocks(page);
const steps = pageSteps(page);

/** What each task asked for; the page may show more. */
const answers: Readonly<Record<string, readonly RegExp[]>> = {
  'How many of these TDs does a host take?': [
    /room for 127 \(the next: no key slot/,
    /sim:spr-1\.5: keySlot: room for 63 of 100/,
  ],
  'Why does the kernel refuse what my VMM does?': [
    /refused +KVM_TDX_INIT_VM: EINVAL: .*max_vcpus in that struct/,
    /KVM_TDX_INIT_VM: this was taken, and series-v9 .* would refuse it/,
  ],
  'Twenty TDs under three kernels, in CI': [
    /rfc-migration-v2 .*20 completed[\s\S]*series-v9 .*20 key slots[\s\S]*upstream-7\.3 .*20 sourceKept/,
  ],
  'A host as I have it, or want it': [
    /TDX module 2\.0\.08[\s\S]*destroyed: everything was given back/,
  ],
  'Hold a TD to its measurement': [/expect: "[0-9a-f]{96}"/, /TDCTL_E_MEASUREMENT_MISMATCH/],
  'What did the kernel log mean?': [/BIOS/, /vmm\.vcpus-above-maximum/],
};

beforeAll(async () => {
  const at = (name: string) => join(cwd, name);
  const from = (name: string) => join(projectRoot, name);
  mkdirSync(at('examples'));
  cpSync(from('examples'), at('examples'), { recursive: true });
  cpSync(from('test/fixtures/dmesg/bios-too-old.txt'), at('dmesg.txt'));
  cpSync(from('test/fixtures/traces/qemu-11.1-tdx.trace'), at('qemu.trace'));
  for (const [, , language, text = ''] of blocks) {
    const name = /^# (\S+\.yaml)\n/.exec(text)?.[1];
    if (language === 'yaml' && name !== undefined) writeFileSync(at(name), text);
  }
  // Another build of the image: one byte of its code is different.
  if (qemu !== undefined) cpSync(qemu.firmware, at('OVMF.fd'));
  const image = readFileSync(from('examples/firmware/hello.fd'));
  const last = image.length - 1;
  image[last] = (image[last] ?? 0) ^ 1;
  writeFileSync(at('other.fd'), image);
  const tree = hostTree('kvm-intel-without-tdx');
  const capture = captureOf(await readFacts(tree), { tdctl: '0.0.0-test' });
  rmSync(tree, { recursive: true });
  writeFileSync(at('node1.json'), JSON.stringify(capture));
});

/** Words as a shell takes them, of which quotes are all that the page uses. */
const wordsOf = (command: string) =>
  [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? '');

async function play(command: string) {
  const args = wordsOf(command).slice(1);
  if (args[0] !== 'exec') return cli(args, { cwd });
  const directory = dirname(qemu?.program ?? '');
  return tdctl(args, { cwd, env: { PATH: `${directory}:${process.env.PATH}` } });
}

/** Progress depends on the machine, and a program under exec has warnings of its own. */
function told(command: string, { stdout, stderr }: { stdout: string; stderr: string }): string {
  const ours = command.startsWith('tdctl exec ') ? /^tdctl exec: /m : /^error: /m;
  const start = stderr.search(ours);
  return start === -1 ? stdout : `${stdout}${stderr.slice(start)}`;
}

test('every task is answered, in one or two commands', () => {
  const tasks = [...new Set(steps.map(({ heading }) => heading))];
  expect(tasks).toEqual(Object.keys(answers));
  for (const [task, wanted] of Object.entries(answers)) {
    expect(steps.filter(({ heading }) => heading === task)).toHaveLength(wanted.length);
  }
});

describe.each(Object.entries(answers))('%s', (task, wanted) => {
  for (const [at, step] of steps.filter((each) => each.heading === task).entries()) {
    test(step.command, async (context) => {
      if (step.command.startsWith('tdctl exec ')) {
        requireSupervision(context);
        if (qemu === undefined) context.skip(noQemu);
      }
      const ended = await play(step.command);
      const text = told(step.command, ended);
      expect(ended.exitCode).toBe(step.exitCode);
      expect(text).toMatch(shownPattern(step.shown));
      expect(text).toMatch(wanted[at] ?? /never/);
    });
  }
});
