import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { CommanderError } from '@commander-js/extra-typings';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { explainCommand } from '../../src/cli/commands/explain.ts';
import { conclude } from '../../src/cli/failure.ts';
import type { CommandIo } from '../../src/cli/io.ts';
import { terminal } from '../support/cli.ts';
import { projectRoot, startTdctl } from '../support/tdctl.ts';

/** Without the ends of the lines that a sentence is broken into. */
const oneLine = (text: string) => text.replace(/\s+/g, ' ');

interface Given {
  readonly stdin?: string | Uint8Array | undefined;
  readonly isTty?: boolean;
  readonly colors?: boolean;
}

/** Runs the command in this process, as the command line would. */
async function explain(args: readonly string[], given: Given = {}) {
  const { stdin = '', isTty = false, colors = false } = given;
  const { io, written } = terminal({ colors });
  async function* chunks() {
    yield Buffer.from(stdin);
  }
  const command = explainCommand(io, { isTty, chunks: chunks() })
    .exitOverride()
    .configureOutput({ writeOut: io.stdout.write, writeErr: io.stderr.write });
  try {
    await command.parseAsync(args, { from: 'user' });
    return { ...written, exitCode: 0 };
  } catch (error) {
    // As runCli does it.
    if (error instanceof CommanderError) return { ...written, exitCode: 2 };
    const exitCode = await conclude({ error }, { io, format: 'text' });
    return { ...written, exitCode };
  }
}

const dmesg = (name: string) => readFileSync(join(projectRoot, `test/fixtures/dmesg/${name}.txt`));

const asked: readonly (readonly [golden: string, args: readonly string[], stdin?: Uint8Array])[] = [
  ['status-word', ['0xC000010000000044']],
  ['refusal', ['ENOSPC', 'KVM_TDX_INIT_VM']],
  [
    'qemu-line',
    ['TDX ioctl KVM_TDX_INIT_VM failed, hw_errors: 0xc000010000000041: Invalid argument'],
  ],
  ['seamcall-line', ['SEAMCALL (0x0000000000000021) failed: 0xc000090000000000']],
  ['module-too-old', ['-'], dmesg('module-too-old')],
  ['reclaim-race', [], dmesg('reclaim-race')],
];

describe('tdctl explain prints a contract', () => {
  for (const [golden, args, stdin] of asked) {
    test.each([
      ['text', 'txt'],
      ['json', 'json'],
      ['yaml', 'yaml'],
    ])(`${golden} as %s`, async (format, ending) => {
      const { stdout, stderr, exitCode } = await explain([...args, '-o', format], { stdin });
      expect(stderr).toBe('');
      expect(exitCode).toBe(0);
      await expect(stdout).toMatchFileSnapshot(`../golden/explain/${golden}.${ending}`);
    });
  }

  test('YAML holds the same data as JSON', async () => {
    const stdin = dmesg('module-too-old');
    const json = await explain(['-o', 'json'], { stdin });
    const yaml = await explain(['-o', 'yaml'], { stdin });
    expect(parseYaml(yaml.stdout)).toEqual(JSON.parse(json.stdout));
  });

  test('colours change nothing but colours', async () => {
    const plain = await explain(['0xC000010000000044']);
    const colored = await explain(['0xC000010000000044'], { colors: true });
    expect(colored.stdout).not.toBe(plain.stdout);
    expect(stripVTControlCharacters(colored.stdout)).toBe(plain.stdout);
  });
});

describe('tdctl explain takes what it is given', () => {
  test('several words are one question, also with a negative errno', async () => {
    const { stdout } = await explain(['KVM_TDX_INIT_VM', '-28']);
    expect(stdout).toMatch(/^init-vm\.no-key-slot$/m);
  });

  test('nothing at all on a terminal is a usage error that says what to do', async () => {
    const { stderr, exitCode } = await explain([], { isTty: true });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('dmesg | tdctl explain');
  });

  test('--list prints every id with its meaning', async () => {
    const { stdout } = await explain(['--list']);
    expect(stdout).toMatch(/^init-vm\.no-key-slot {2,}every key slot/m);
    const { stdout: json } = await explain(['--list', '-o', 'json']);
    expect(JSON.parse(json).answers).toHaveLength(stdout.trimEnd().split('\n').length);
  });
});

describe('tdctl explain --kernel', () => {
  test('numbers the checks of the kernel that is named, for a question as for a log', async () => {
    const question = ['EINVAL', 'KVM_TDX_INIT_VM', '--kernel', 'proposal-1a'];
    const { stdout } = await explain(question);
    expect(stdout).toMatch(/^ {2}kernel {4}proposal-1a$/m);
    expect(oneLine(stdout)).toMatch(
      /step 14: max_vcpus [^()]*(\([^()]*\))?[^()]*\(init-vm\.max-vcpus-mismatch\)/,
    );
    const stdin = 'TDX ioctl KVM_TDX_INIT_VM failed, hw_errors: 0x0: Invalid argument\n';
    const log = await explain(['-', '--kernel', 'proposal-1a'], { stdin });
    expect(log.stdout).toContain('init-vm.max-vcpus-mismatch');
    expect((await explain(question.slice(0, 2))).stdout).not.toContain('max-vcpus-mismatch');
  });

  test('of a name that is unknown ends with 2, the nearest name and where they are listed', async () => {
    const { stdout, stderr, exitCode } = await explain(['ENOSPC', '--kernel', 'proposal-1c']);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 2 });
    expect(stderr).toMatch(/no kernel ABI `proposal-1c`/);
    expect(stderr).toMatch(/did you mean `proposal-1[ab]?`\? `tdctl kernels` lists them all/);
  });
});

test('tdctl explain CHECK says who makes it, when, what to do, and its source', async () => {
  const { stdout } = await explain(['enable-cap.max-vcpus.above-kvm-max']);
  for (const words of [
    'the number is above KVM_MAX_VCPUS',
    'EINVAL',
    'KVM_ENABLE_CAP(KVM_CAP_MAX_VCPUS): proposal-1, proposal-1a, proposal-1b',
    '[PATCH v9 016/105], option 1',
    'name at most as many vCPUs',
  ]) {
    expect(oneLine(stdout)).toContain(words);
  }
  expect((await explain(['vm.dead'])).stdout).toContain('every kernel');
});

describe('tdctl explain WORDS', () => {
  test.each([
    [['HKID'], 'status.'],
    [['key', 'slot'], 'init-vm.no-key-slot'],
  ])('%j lists the answers that have all of them', async (words, id) => {
    const { stdout, exitCode } = await explain(words);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(id);
    expect(stdout.split('\n').length).toBeGreaterThan(3);
  });

  test('a slip of an id is answered with the id', async () => {
    const { stderr, exitCode } = await explain(['td-parms.xfam-refused']);
    expect(exitCode).toBe(3);
    expect(stderr).toContain('did you mean `tdctl explain td-params.xfam-refused`?');
  });
});

test("QEMU's last line for too many vCPUs is known, as a cause", async () => {
  const { stdout } = await explain([
    'qemu-system-x86_64: -accel kvm: Number of SMP cpus requested (300) exceeds the maximum cpus supported by KVM (224)',
  ]);
  expect(stdout).toContain('vmm.vcpus-above-maximum\n');
  expect(oneLine(stdout)).toContain(
    '300 vCPUs are asked for, and KVM_CAP_MAX_VCPUS allows this VM 224',
  );
});

describe('tdctl explain of what nobody knows ends with 3', () => {
  test('and decodes what can be decoded of a status word', async () => {
    const { stdout, stderr, exitCode } = await explain(['0xC000420000000012']);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 3 });
    await expect(stderr).toMatchFileSnapshot('../golden/explain/unknown-word.txt');
  });

  test.each([
    ['a word that means nothing', ['hello'], '', /not known: hello/],
    [
      'a log without TDX',
      [],
      'usb 1-1: new device\n',
      /nothing in 1 line of standard input is known/,
    ],
    ['empty standard input', [], '', /standard input was empty/],
  ])('%s', async (_, args, stdin, message) => {
    const { stdout, stderr, exitCode } = await explain(args, { stdin });
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 3 });
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^hint: /m);
  });

  test('control characters in it do not reach the terminal', async () => {
    const { stderr } = await explain(['\u001b[2Jboo']);
    expect(stderr).not.toContain('\u001b');
    expect(stderr).toContain('\\u{1b}[2Jboo');
  });
});

describe('tdctl explain of a file', () => {
  const path = join(projectRoot, 'test/fixtures/dmesg/bios-too-old.txt');

  test('reads the log that it is', async () => {
    const named = await explain([path]);
    expect(named).toEqual(await explain(['-'], { stdin: dmesg('bios-too-old') }));
    expect(named.stdout).toContain('seamcall.sys-init.bios-too-old');
  });

  test('says of which file nothing is known', async () => {
    const { stderr, exitCode } = await explain([join(projectRoot, 'package.json')]);
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/package\.json\b/);
    expect(stderr).not.toContain('standard input');
  });

  test('takes what is known as words, and a directory for no log', async () => {
    expect((await explain(['EBUSY'])).exitCode).toBe(0);
    expect((await explain([projectRoot])).exitCode).toBe(3);
  });
});

describe('tdctl explain as a process', () => {
  test('reads a log from a pipe', async () => {
    const running = startTdctl(['explain', '-o', 'json'], { stdin: 'open' });
    running.child.stdin.end(dmesg('bios-too-old'));
    const { exitCode, stdout, stderr } = await running.ended;
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(JSON.parse(stdout).explanations[0].id).toBe('seamcall.sys-init.bios-too-old');
  });
});

describe('tdctl explain --help', () => {
  test('teaches what it takes, within 80 columns', () => {
    const written: string[] = [];
    explainCommand({} as CommandIo)
      .configureOutput({ writeOut: (text) => written.push(text) })
      .outputHelp();
    const help = written.join('');
    expect(help).toContain('dmesg | tdctl explain');
    expect(help).toContain('ENOSPC KVM_TDX_INIT_VM');
    expect(help.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });
});
