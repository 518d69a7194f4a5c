/**
 * More TDs than key slots, all created at once with `--queue`: each gets its turn, and none twice. `npm run sweep` has
 * the long form.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import { readJournal } from '../../src/keeper/journal/index.ts';
import { requireAddon } from '../native/support.ts';
import { builtMain, projectRoot } from '../support/built.ts';
import { execute } from './programs.ts';

const { count, slots } =
  process.env.TDCTL_SWEEP === 'full' ? { count: 200, slots: 63 } : { count: 6, slots: 2 };

/** A whole process for each of them, and one for each keeper. */
const timeoutMs = 60_000 + 10_000 * count;

const host = `
apiVersion: tdctl.io/v1alpha1
kind: SimulatedHost
metadata: { name: crowded }
spec:
  from: spr-1.5
  platform: { keyIds: { mktme: ${63 - slots}, tdxPrivate: ${slots + 1} } }
`;

/** What the trace shows of KVM_TDX_INIT_VM tells by it which of the TDs it is. */
const spec = (number: number) => `
apiVersion: tdctl.io/v1alpha1
kind: TrustDomain
metadata: { name: td-${number} }
spec:
  vcpus: 1
  memory: 128MiB
  firmware: ${join(projectRoot, 'examples/firmware/hello.fd')}
  identity: { mrConfigId: "${number.toString(16).padStart(96, '0')}" }
`;

/**
 * What bash runs on the shared host. Nobody gives a slot back before all slots are taken and all others wait; then
 * each does as soon as its TD is built.
 */
const day = (main: string) => `
  set -u
  td() { ${process.execPath} ${main} "$@"; }
  exec 9>go; flock 9
  for each in $(seq ${count}); do
    (
      exec 9>&-
      td create $each.yaml --host kvm --queue >$each.told 2>&1 || exit
      flock go true
      td stop td-$each --wait >>$each.told 2>&1
      echo $? >$each.stopped
    ) &
  done
  states() { td list -o json | tr -d ' \\n' | grep -o '"state":"[a-z]*"' | sort | uniq -c | tr -s ' \\n' ' '; }
  until [ "$(states)" = ' ${count - slots} "state":"queued" ${slots} "state":"runnable" ' ]; do sleep 0.5; done
  states; echo
  exec 9>&-
  wait
  states
`;

async function crowd(context: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'tdc-'));
  context.onTestFinished(() => rmSync(directory, { recursive: true }));
  const state = join(directory, 's');
  mkdirSync(state, { mode: 0o700 });
  const write = (name: string, text: string) => writeFileSync(join(directory, name), text);
  write('host.yaml', host);
  write('day.sh', day(builtMain()));
  for (let number = 1; number <= count; number++) write(`${number}.yaml`, spec(number));
  const ended = await execute(['bash', 'day.sh'], {
    host: 'sim:./host.yaml',
    args: ['--trace', 'trace'],
    as: { cwd: directory, env: { ...process.env, TDCTL_STATE_DIR: state } },
  });
  const read = (name: string) => readFileSync(join(directory, name), 'utf8');
  return { ...ended, state, read };
}

/** The TDs of the requests that took a slot, in the order in which the kernel got them. */
function turnsIn(trace: string): number[] {
  const took = /KVM_TDX_INIT_VM\(.* mrconfigid=0x([0-9a-f]+), .*\) = 0$/gm;
  return [...trace.matchAll(took)].map(([, id]) => Number.parseInt(id ?? '', 16));
}

function ticketOf(state: string, number: number): number {
  const { records } = readJournal(join(state, `td/td-${number}/journal`));
  const tickets = records.flatMap((record) => (record.kind === 'queued' ? [record.ticket] : []));
  expect({ number, tickets }).toMatchObject({ tickets: [expect.any(String)] });
  return Number(tickets[0]);
}

const numbers = Array.from({ length: count }, (_, index) => index + 1);

test(
  `${count} TDs at once on ${slots} key slots: each in its turn, and none twice`,
  async (context) => {
    requireAddon(context);
    const { exitCode, stdout, summary, state, read } = await crowd(context);
    expect({ exitCode, stdout: stdout.split('\n').map((line) => line.trim()) }).toEqual({
      exitCode: 0,
      stdout: [
        `${count - slots} "state":"queued" ${slots} "state":"runnable"`,
        `${count} "state":"destroyed"`,
      ],
    });
    for (const number of numbers)
      expect(`${number}: ${read(`${number}.stopped`)}`).toBe(`${number}: 0\n`);

    const turns = turnsIn(read('trace'));
    expect(turns.toSorted((one, other) => one - other)).toEqual(numbers);
    // A lower number came first. Whoever has taken a slot leaves the line, and the next one tries.
    const tickets = turns.map((number) => ticketOf(state, number));
    expect(tickets).toEqual(tickets.toSorted((one, other) => one - other));
    expect(summary.keySlots).toMatchObject({ total: slots, peak: slots, used: 0, free: slots });
    expect(summary.leakedKeySlots).toBe(0);
    // A place that was given up is an empty file, of which the last one stays.
    expect(readdirSync(join(state, 'queue'))).toEqual([`${Math.max(...tickets)}`]);
    expect(read(`s/queue/${Math.max(...tickets)}`)).toBe('');
  },
  timeoutMs,
);
