/** A client of a monitor, against servers that say what a monitor says, and what none would. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  MonitorClosed,
  type MonitorRefused,
  MonitorSilent,
  openMonitor,
  type QmpEvent,
} from '../../../src/vmm/qmp/index.ts';
import { stateBase } from '../../support/state-base.ts';
import { done, serve } from './serve.ts';

const open = (path: string, events: QmpEvent[] = []) =>
  openMonitor({ path, deadlineMs: 2000, onEvent: (event) => events.push(event) });

test('answers go to whoever asked, in whatever order and pieces they come, and events to the listener', async () => {
  const events: QmpEvent[] = [];
  const held: string[] = [];
  const path = await serve((asked) => {
    if (asked.execute === 'qmp_capabilities') return done(asked);
    held.unshift(done(asked, asked.execute));
    if (held.length < 2) return '';
    return `${held.join('')}{"event": "STOP", "timestamp": {}}\r\n{"event":"SHUTDOWN","data":{"guest":true}}\n`;
  });
  const monitor = await open(path, events);
  expect(monitor.version).toBe('11.1.3');
  const answers = ['query-name', 'query-kvm'].map((command) =>
    monitor.execute(command, { deadlineMs: 2000 }),
  );
  expect(await Promise.all(answers)).toEqual(['query-name', 'query-kvm']);
  expect(events).toEqual([
    { event: 'STOP', data: {} },
    { event: 'SHUTDOWN', data: { guest: true } },
  ]);
  monitor.close();
});

test('a refusal has the words of the monitor', async () => {
  const path = await serve((asked) =>
    asked.execute === 'cont'
      ? `${JSON.stringify({ error: { class: 'GenericError', desc: 'no way' }, id: asked.id })}\n`
      : done(asked),
  );
  const monitor = await open(path);
  const refused = monitor.execute('cont', { deadlineMs: 2000 });
  await expect(refused).rejects.toMatchObject({
    command: 'cont',
    class: 'GenericError',
    message: 'no way',
  } satisfies Partial<MonitorRefused>);
  monitor.close();
});

test('a command that is not answered ends by its deadline, and the next is asked all the same', async () => {
  const path = await serve((asked) => (asked.execute === 'stop' ? '' : done(asked, asked.execute)));
  const monitor = await open(path);
  await expect(monitor.execute('stop', { deadlineMs: 20 })).rejects.toBeInstanceOf(MonitorSilent);
  expect(await monitor.execute('query-name', { deadlineMs: 2000 })).toBe('query-name');
  monitor.close();
});

test.each([
  ['one that never greets', ''],
  ['one that greets with half a line', '{"QMP": '],
])('%s is silent, and not waited for', async (_, first) => {
  const path = await serve(done, first);
  const opened = openMonitor({ path, deadlineMs: 30, onEvent: () => undefined });
  await expect(opened).rejects.toBeInstanceOf(MonitorSilent);
});

test('a socket that never comes is not waited for, nor one whose program has ended', async () => {
  const path = join(stateBase, 'no-such-monitor');
  const onEvent = () => undefined;
  await expect(openMonitor({ path, deadlineMs: 30, onEvent })).rejects.toBeInstanceOf(
    MonitorSilent,
  );
  const signal = AbortSignal.abort();
  await expect(openMonitor({ path, deadlineMs: 60_000, onEvent, signal })).rejects.toBeInstanceOf(
    MonitorClosed,
  );
});

test.each([
  ['no JSON', 'Segmentation fault\n', 'a line that is no JSON'],
  ['no object', '[1, 2]\n', 'a line that is no JSON object'],
  ['an object that says nothing', '{"hello": 1}\n', 'neither an answer nor an event'],
  ['a line without an end', 'x'.repeat(5000), 'a line of more than 4096 bytes'],
])('%s ends the connection, and whoever waits is told why', async (_, said, why) => {
  const path = await serve((asked) => (asked.execute === 'qmp_capabilities' ? done(asked) : said));
  const monitor = await openMonitor({
    ...{ path, deadlineMs: 2000, mostLineBytes: 4096 },
    onEvent: () => undefined,
  });
  await expect(monitor.execute('query-name', { deadlineMs: 2000 })).rejects.toThrow(why);
  expect((await monitor.closed).message).toContain(why);
  await expect(monitor.execute('query-name', { deadlineMs: 2000 })).rejects.toThrow(why);
});

test('a flood of events does not keep an answer back', async () => {
  const path = await serve((asked) =>
    asked.execute === 'query-name'
      ? `${'{"event": "RTC_CHANGE", "data": {}}\n'.repeat(20_000)}${done(asked, 'web')}`
      : done(asked),
  );
  const events: QmpEvent[] = [];
  const monitor = await open(path, events);
  expect(await monitor.execute('query-name', { deadlineMs: 20_000 })).toBe('web');
  expect(events).toHaveLength(20_000);
  monitor.close();
});

test('a monitor that is gone after `quit` has ended in order', async () => {
  const path = await serve((asked, socket) => {
    if (asked.execute !== 'quit') return done(asked);
    socket.destroy();
    return '';
  });
  const monitor = await open(path);
  await expect(monitor.execute('quit', { deadlineMs: 2000 })).rejects.toBeInstanceOf(MonitorClosed);
  expect((await monitor.closed).message).toBe('it has ended');
});
