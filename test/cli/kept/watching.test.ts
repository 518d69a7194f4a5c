/** `list --watch`, `events -f` and `logs -f` tell what comes, and end by Ctrl-C or with the TD. */
import { expect, test } from 'vitest';
import { cli } from '../../support/cli.ts';
import { keeping } from '../../support/kept.ts';
import { startTdctl } from '../../support/tdctl.ts';

const { spec } = keeping();

function watching(...args: string[]) {
  const { child, ended, output } = startTdctl(args);
  return {
    told: output,
    shows: (form: RegExp) => expect.poll(() => output.stdout).toMatch(form),
    interrupt: () => child.kill('SIGINT'),
    ended: ended.then(({ exitCode }) => exitCode),
  };
}

test('a pipe is told of each other list once, and Ctrl-C is the end and no failure', async () => {
  const list = watching('list', '--watch');
  await list.shows(/^no TDs are kept/);
  await cli(['create', spec('seen'), '--host', 'sim']);
  await list.shows(/\nseen +runnable .*\n$/);
  await cli(['start', 'seen']);
  await list.shows(/\nseen +running .*\n$/);
  const states = [...list.told.stdout.matchAll(/^seen +(\w+)/gm)].map(([, state]) => state);
  // Nothing is told again because time has gone by.
  expect(states).toEqual(states.filter((state, at) => state !== states[at - 1]));
  list.interrupt();
  expect({ exitCode: await list.ended, stderr: list.told.stderr }).toEqual({
    exitCode: 0,
    stderr: '',
  });
});

test('who follows is told what comes, also of TDs that are created later', async () => {
  const [all, one] = [watching('events', '-f'), watching('events', '-f', 'seen', '-o', 'json')];
  await all.shows(/seen {2}running\n/);
  await one.shows(/"state":"running"/);
  await cli(['create', spec('later'), '--host', 'sim']);
  await all.shows(/later {2}runnable\n/);
  await cli(['stop', 'seen', '--wait']);
  expect(await one.ended).toBe(0);
  const last = JSON.parse(one.told.stdout.trim().split('\n').at(-1) ?? '');
  expect(last.journalRecord).toMatchObject({ kind: 'over', outcome: 'destroyed' });
  await all.shows(/seen {2}over: destroyed\n/);
  all.interrupt();
  expect(await all.ended).toBe(0);
});
