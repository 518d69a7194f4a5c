/**
 * Whole lives of TDs that the real QEMU has, on a simulated host with one key slot: whatever a TD comes to, the next
 * one gets the slot, and the reason is told in words.
 */
import { expect, type TestContext, test } from 'vitest';
import { type Life, live as liveBy } from './live.ts';

const live = (context: TestContext, life: Life) => liveBy(context, { door: 'shared', ...life });

const print = (text: string) =>
  [...Buffer.from(text)].map((byte) => `{out: {port: 0x3f8, sizeBytes: 1, data: ${byte}}}`).join();

/** A guest that prints a letter each time that it is entered. */
const talking = `${print('A')}, {hold: true}, ${print('B')}, {hold: true}, ${print('C')}, {hold: true}`;

test('a TD is made, paused and resumed; its keeper is killed, and another goes on with its console and its events; however long the path of its directory is', async (context) => {
  const lived = await live(context, {
    state: `a-path-that-is-too-long-for-a-socket/${'x'.repeat(120)}`,
    guest: talking,
    script: `
      create; prints A
      td pause web; td resume web; prints B
      kill -9 $(keeper); state
      reason
      td start web; state
      td pause web; td resume web; prints C
      td logs web; echo
      td events web -o json >told; grep -c '"kind":"keeper"' told
      sed 's/.*"seq":\\([0-9]*\\),.*/\\1/' told | sort -n | uniq -d | wc -l
      td stop web --wait
      create; td stop web --wait
    `,
  });
  expect(lived.stdout.split('\n')).toEqual([
    ...['web', 'web: paused', 'web: running', 'unkept'],
    expect.stringMatching(
      /its keeper, process \d+, died as it was running; QEMU, process \d+, has/,
    ),
    expect.stringContaining('`tdctl start web` gives it another keeper'),
    expect.stringContaining('its socket is there'),
    ...['web: running, and kept again', 'running'],
    ...['web: paused', 'web: running', 'ABC', '2', '0', 'web: destroyed'],
    ...['web', 'web: destroyed', ''],
  ]);
});

test('a monitor that hangs keeps nobody: list, pause and stop end, and so does the TD', async (context) => {
  const lived = await live(context, {
    guest: '{hold: true}',
    script: `
      create
      kill -STOP $(qemu); state
      td pause web 2>&1 | head -1
      td stop web --wait
      create
      kill -STOP $(qemu); kill -9 $(keeper)
      td kill web --wait; reason
      create; td stop web --wait
    `,
  });
  expect(lived.stdout.split('\n')).toEqual([
    ...['web', 'running', expect.stringContaining('QEMU did not pause the TD, which is running')],
    ...['web: destroyed', 'web', 'web: lost'],
    expect.stringMatching(
      /died as it was running, and QEMU, process \d+, has ended since; its key/,
    ),
    expect.stringContaining('its socket is there'),
    ...['web', 'web: destroyed', ''],
  ]);
});

test('QEMU is killed, with its keeper and without: both ends are told, and the name and the slot are free', async (context) => {
  const lived = await live(context, {
    guest: '{hold: true}',
    script: `
      create; kill -9 $(qemu)
      td wait web --for over; reason
      create
      kill -9 $(keeper) $(qemu); td wait web --for lost; reason
      create; td stop web --wait
    `,
  });
  expect(lived.stdout.split('\n')).toEqual([
    ...['web', 'web: failed', expect.stringContaining('running: QEMU was killed (SIGKILL)')],
    ...[
      'web',
      'web: lost',
      expect.stringMatching(/QEMU, process \d+, has ended since; its key slot/),
    ],
    expect.stringContaining('its socket is there'),
    ...['web', 'web: destroyed', ''],
  ]);
});

test('a reboot is another TD, made when the slot of the one before is free; one that resets at once waits for the next, and can be stopped meanwhile', async (context) => {
  const lived = await live(context, {
    guest: '{shutdown: true}',
    script: `
      create
      until td events web | grep -o 'reset 2 times in a row.*made in 1 s'; do sleep 0.1; done
      td stop web --wait
      td events web | grep -c 'refused\\|failed'
      td events web | grep -m1 -o 'the guest asked for a reset.*'
    `,
  });
  expect(lived.stdout.split('\n')).toEqual([
    ...['web', 'reset 2 times in a row, each within a minute: the next TD is made in 1 s'],
    ...['web: destroyed', '0'],
    ...['the guest asked for a reset, and a TD is not reset but made anew', ''],
  ]);
});

test('`stop --grace` presses the power button first; with `onPanic: keep` a guest that panics stands still, and can be stopped', async (context) => {
  const lived = await live(context, {
    guest: "{hold: true}, {reportFatalError: {code: 0, message: 'no root device'}}",
    spec: '  onPanic: keep',
    script: `
      create; td stop web --grace 1s --wait; td events web -o json | grep -o '"system_powerdown"'
      create; td pause web
      # The guest goes on from where it holds once a pause has found it there.
      until td events web | grep -q 'no root device'; do
        { td resume web; td pause web; } >/dev/null 2>&1
      done
      until [ $(state) = paused ]; do sleep 0.05; done
      td stop web --wait
    `,
  });
  expect(lived.stdout.split('\n')).toEqual([
    ...['web', 'web: destroyed', '"system_powerdown"'],
    ...['web', 'web: paused', 'web: destroyed', ''],
  ]);
});

test('`run` has a TD in the foreground: what its guest prints is shown, its end is told, and nothing is left', async (context) => {
  const lived = await live(context, {
    guest: `${print('Q')}, {shutdown: true}`,
    spec: '  onReboot: stop',
    script: `
      td run td.yaml --host $host | grep -oE '│ Q|asked for a reset|^destroyed|QEMU, process'
      td list -o json | tr -d ' \\n'
    `,
  });
  expect(lived.stdout.split('\n')).toEqual([
    ...['│ Q', 'asked for a reset', 'QEMU, process', 'destroyed'],
    expect.stringContaining('"items":[]'),
  ]);
});

const ends: Readonly<
  Record<string, Pick<Life, 'guest' | 'spec'> & { state: string; reason: RegExp }>
> = {
  'that powers off': {
    state: 'destroyed',
    reason: /the guest has powered off/,
  },
  'that reboots where that is an end': {
    guest: '{shutdown: true}',
    spec: '  onReboot: stop',
    state: 'destroyed',
    reason: /the guest asked for a reset/,
  },
  'that panics': {
    guest: "{reportFatalError: {code: 0, message: 'no root device'}}",
    state: 'failed',
    reason: /running: the guest gave up: “no root device” \(ReportFatalError, code 0x0\)/,
  },
  'that panics with a code of its own': {
    guest: "{reportFatalError: {code: 7, message: 'odd'}}, {hold: true}",
    state: 'failed',
    reason: /the guest gave up with a code that QEMU does not take \(ReportFatalError, 0x7\)/,
  },
  'that touches memory which it has not accepted': {
    guest: '{touchUnacceptedMemory: true}',
    state: 'failed',
    reason: /running: KVM_RUN answered EIO: the TD is dead/,
  },
};

for (const [name, { state, reason, ...life }] of Object.entries(ends)) {
  test(`a guest ${name}: its end is told, and the slot is free`, async (context) => {
    const script = `
      create; td wait web --for over; reason
      td create td.yaml --host $host -o name; td stop web --wait
    `;
    const lived = await live(context, { ...life, script });
    expect(lived.stdout.split('\n')).toEqual([
      ...['web', `web: ${state}`, expect.stringMatching(reason)],
      ...['web', 'web: destroyed', ''],
    ]);
  });
}
