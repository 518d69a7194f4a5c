/** What is told is read from a real datagram socket, as a service manager reads it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, type TestContext, test } from 'vitest';
import { serviceManager } from '../../../src/keeper/systemd/notify.ts';
import { supervised } from '../../../src/keeper/systemd/supervised.ts';
import { requireAddon } from '../../native/support.ts';

/** Node has no datagram sockets of UNIX, so Python reads them. Prints each as JSON. */
const reader = `
import json, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
name = sys.argv[1]
s.bind("\\0" + name[1:] if name.startswith("@") else name)
print(json.dumps("listens"), flush=True)
while True:
    print(json.dumps(s.recv(4096).decode()), flush=True)
`;

interface Manager {
  readonly child: ChildProcess;
  next(): Promise<string>;
}

async function startManager(context: TestContext, path: string): Promise<Manager> {
  if (spawnSync('python3', ['--version']).status !== 0) context.skip('python3 is not there');
  const child = spawn('python3', ['-c', reader, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  context.onTestFinished(async () => {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value);
  expect(await next()).toBe('listens');
  return { child, next };
}

const fail = (what: string) => {
  throw new Error(what);
};

function places(context: TestContext): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'td-notify-'));
  context.onTestFinished(() => rmSync(directory, { recursive: true }));
  return [join(directory, 'notify'), `@tdctl-test/${process.pid}-${Date.now()}`];
}

describe('a service manager', () => {
  test('is told over the socket that it names, of a path or of the abstract namespace', async (context) => {
    requireAddon(context);
    for (const path of places(context)) {
      const manager = await startManager(context, path);
      const env = { NOTIFY_SOCKET: path };
      const told = serviceManager(env, fail);
      // A child of this process is not the service.
      expect(env).toEqual({});
      told.status('waits for a key slot: 2 of 3');
      told.ready('runnable');
      told.stopping('releasing');
      told.needsMs(1500.5);
      expect([
        await manager.next(),
        await manager.next(),
        await manager.next(),
        await manager.next(),
      ]).toEqual([
        'STATUS=waits for a key slot: 2 of 3',
        'READY=1\nSTATUS=runnable',
        'STOPPING=1\nSTATUS=releasing',
        'EXTEND_TIMEOUT_USEC=1500500',
      ]);
    }
  });

  test('is told of no second variable by a text with a line break', async (context) => {
    requireAddon(context);
    const [path = ''] = places(context);
    const manager = await startManager(context, path);
    serviceManager({ NOTIFY_SOCKET: path }, fail).status('a\nMAINPID=1');
    expect(await manager.next()).toBe('STATUS=a MAINPID=1');
  });

  test('that is not there is complained of once, and nothing else happens', (context) => {
    requireAddon(context);
    const troubles: string[] = [];
    const [path = ''] = places(context);
    const told = serviceManager({ NOTIFY_SOCKET: path }, (what) => void troubles.push(what));
    told.ready('runnable');
    told.status('running');
    expect(troubles).toEqual([expect.stringContaining('ENOENT')]);
  });

  test('is nobody where none is named', () => {
    const told = serviceManager({}, fail);
    told.ready('runnable');
  });

  test('is told by systemd-notify where the addon does not speak to its socket', async () => {
    const troubles: string[] = [];
    const trouble = new Promise<void>((resolve) => {
      // No socket of that address is there: that the tool was asked is seen by its failure.
      const env = { NOTIFY_SOCKET: 'vsock:2:1', PATH: process.env.PATH };
      serviceManager(env, (what) => {
        troubles.push(what);
        resolve();
      }).ready('runnable');
    });
    await trouble;
    expect(troubles).toEqual([expect.stringMatching(/systemd-notify/)]);
  });
});

describe('of a TD it is told', () => {
  const recorder = () => {
    const told: string[] = [];
    const manager = {
      ready: (status: string) => void told.push(`ready ${status}`),
      status: (text: string) => void told.push(text),
      stopping: (status: string) => void told.push(`stopping ${status}`),
      needsMs: (ms: number) => void told.push(`needs ${ms} ms`),
    };
    return { told, manager };
  };
  const states = [
    'provisioning.creatingVm',
    'runnable',
    'running',
    'stopping',
    'terminating',
    'releasing',
    'destroyed',
  ] as const;

  test.each([
    { start: false, ready: 'ready runnable', other: 'running' },
    { start: true, ready: 'ready running', other: 'runnable' },
  ])(
    'that it is up once, when it is what was asked for: start $start',
    ({ start, ready, other }) => {
      const { told, manager } = recorder();
      const listener = supervised(manager, { start, teardownMs: () => 120_000 });
      listener.queued({ position: 2, of: 3 });
      for (const state of states) listener.event({ event: 'state.entered', state });
      expect(told).toContain(ready);
      expect(told).toContain(other);
      expect(told.filter((line) => /^(ready|stopping|needs)/.test(line))).toEqual([
        ready,
        'stopping stopping',
        'needs 240000 ms',
      ]);
      expect(told[0]).toBe('waits for a key slot: 2 of 3');
    },
  );

  test('nothing more where it has moved to another keeper of the unit', () => {
    const { told, manager } = recorder();
    const listener = supervised(manager, { start: true, teardownMs: () => null });
    const moves = ['running', 'migratingOut.handedOver', 'movedAway', 'releasing', 'destroyed'];
    for (const state of moves as ('running' | 'movedAway')[]) {
      listener.event({ event: 'state.entered', state });
    }
    expect(told).toEqual(['ready running', 'migratingOut: handedOver']);
  });

  test('that it goes down, and never that it is up, where it fails on its way', () => {
    const { told, manager } = recorder();
    const listener = supervised(manager, { start: true, teardownMs: () => null });
    for (const state of ['provisioning.creatingVm', 'releasing', 'failed'] as const) {
      listener.event({ event: 'state.entered', state });
    }
    expect(told).toEqual([
      'provisioning: creatingVm',
      'stopping releasing',
      'needs 60000 ms',
      'failed',
    ]);
  });
});
