/** Each command of the golden files, typed into a shell as `plan` shows it, and taken by QEMU itself. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commandOf, commandParts, shellText } from '../../../src/vmm/command-line/index.ts';
import { noQemu, qemu } from '../../exec/qemu/qemu.ts';
import { bzImage } from '../../guest/boot/kernels.ts';
import { startTdctl } from '../../support/tdctl.ts';
import { writeQcow2 } from '../qcow2.ts';
import { goldenNames, goldenPlan, goldenSpec } from './golden-specs.ts';

/** What this machine need not have, and what QEMU says of it: the words before it were taken. */
const lacking: Readonly<Record<string, RegExp>> = {
  bridge: /bridge helper failed/,
  tap: /could not (configure|open) \/dev\/net\/tun/,
  'vhost-user': /Failed to connect to .*passt\.sock/,
  vfio: /Failed to add fd 6 to KVM VFIO device/,
  vsock: /vhost_set_owner failed/,
};

interface Outcome {
  readonly name: string;
  readonly answers: readonly string[];
  readonly exitCode: number;
  readonly stderr: string;
}

let directory: string;
const outcomes = new Map<string, Outcome>();

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tdctl-line-'));
  if (qemu === undefined) return;
  symlinkSync(qemu.firmware, join(directory, 'OVMF.fd'));
  writeQcow2(join(directory, 'root.qcow2'));
  writeQcow2(join(directory, 'root.qcow2.base'));
  for (const name of ['data, old.raw', 'seed.iso']) {
    writeFileSync(join(directory, name), Buffer.alloc(1 << 20));
  }
  writeFileSync(join(directory, 'vmlinuz'), bzImage());
  writeFileSync(join(directory, 'initrd.img'), 'initrd');
  const { program } = qemu;
  const scripts = goldenNames.map((name) => {
    const home = join(directory, name);
    mkdirSync(home);
    const plan = goldenPlan(goldenSpec(name, directory), program);
    const places = {
      monitor: join(home, 'monitor'),
      console: join(home, 'console'),
      consoleLog: join(home, 'console.log'),
      directory: home,
    };
    const { files } = commandOf(plan, places);
    const line = shellText(program, { parts: commandParts(plan, places), files });
    // A plain file stands in for a device of the host: QEMU finds out when it asks it.
    const typed = line.replaceAll(
      /\/dev\/(iommu|vhost-vsock|vfio\/\S+)(?= \\$|$)/gm,
      join(home, 'device'),
    );
    // Whoever finds the file finds the number in it.
    return `(${typed}) 2>${home}/stderr\necho $? >${home}/exiting\nmv ${home}/exiting ${home}/exit\n`;
  });
  const script = join(directory, 'all.sh');
  writeFileSync(script, scripts.join('\n'));
  const running = startTdctl(['exec', '--quiet', '--', 'bash', script]);
  for (const name of goldenNames) {
    const home = join(directory, name);
    const answers = await driven(join(home, 'monitor'), () => existsSync(join(home, 'exit')));
    while (!existsSync(join(home, 'exit'))) await shortly();
    const exitCode = Number(readFileSync(join(home, 'exit'), 'utf8'));
    const stderr = readFileSync(join(home, 'stderr'), 'utf8');
    outcomes.set(name, { name, answers, exitCode, stderr });
  }
  await running.ended;
}, 120_000);

afterAll(() => rmSync(directory, { recursive: true }));

const shortly = () => new Promise((resolve) => setTimeout(resolve, 20));

/** Takes the TD up to where its guest could start, and ends it. */
async function driven(path: string, isOver: () => boolean): Promise<string[]> {
  for (;;) {
    if (isOver()) return [];
    // The file of a monitor is there a moment before anybody listens.
    const answers = existsSync(path) ? await answersOf(path) : [];
    if (answers.length > 0) return answers;
    await shortly();
  }
}

async function answersOf(path: string): Promise<string[]> {
  const answers: string[] = [];
  const commands = ['qmp_capabilities', 'x-exit-preconfig', 'query-status', 'quit'];
  const socket = createConnection(path);
  // A monitor ends by a reset as often as not.
  socket.on('error', () => undefined);
  let text = '';
  socket.setEncoding('utf8').on('data', (part) => {
    const lines = `${text}${part}`.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines.filter((each) => /"(QMP|return|error)"/.test(each))) {
      answers.push(line);
      const execute = commands.shift();
      if (execute !== undefined) socket.write(`${JSON.stringify({ execute })}\n`);
    }
  });
  await new Promise((resolve) => socket.once('close', resolve));
  return answers;
}

test.for(goldenNames)('%s is taken by QEMU, which makes the whole TD of it', (name, context) => {
  if (qemu === undefined) return context.skip(noQemu);
  const { answers, exitCode, stderr } = outcomes.get(name) as Outcome;
  const refusals = stderr.split('\n').filter((line) => line !== '' && !line.includes('warning:'));
  if (exitCode !== 0 && lacking[name]) {
    expect(refusals.join('\n')).toMatch(lacking[name]);
    return undefined;
  }
  expect(refusals).toEqual([]);
  expect(answers[3]).toContain('"status": "prelaunch"');
  expect(exitCode).toBe(0);
  return undefined;
});
