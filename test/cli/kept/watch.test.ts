/** `tdctl watch NAME`: a TD that somebody else keeps, shown live. */
import { describe, expect, test } from 'vitest';
import { cli } from '../../support/cli.ts';
import { data, keeping } from '../../support/kept.ts';
import { startTdctl } from '../../support/tdctl.ts';

const { spec } = keeping();

async function create(name: string) {
  const { exitCode, stderr } = await cli(['create', spec(name), '--host', 'sim', '--start']);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
}

async function watchOf(name: string, ...args: readonly string[]) {
  const running = startTdctl(['watch', name, ...args]);
  await running.waitForStderr('/\n');
  return { running, url: /http:\S+/.exec(running.output.stderr)?.[0] ?? '' };
}

describe('a kept TD', () => {
  test('is shown from its first state on, and to its end', async () => {
    await create('seen');
    const { running, url } = await watchOf('seen', '--until-end');
    const page = await (await fetch(url)).text();
    expect(page).toContain('seen: tdctl watch');
    const events = await fetch(`${url}events`);
    await cli(['stop', 'seen', '--wait']);
    const text = await events.text();
    const states = [...text.matchAll(/"state":"(\w+)[^"]*","elapsedMs"/g)].map(([, at]) => at);
    expect(states[0]).toBe('provisioning');
    expect([...new Set(states)]).toEqual(
      expect.arrayContaining(['runnable', 'running', 'releasing', 'destroyed']),
    );
    expect(text).toContain('"kind":"end"');
    const { exitCode, stderr } = await running.ended;
    expect(exitCode).toBe(0);
    expect(stderr).toContain('TD seen: it is destroyed');
  });

  test('whose keeper is killed ends the page with what became of it', async () => {
    await create('killed');
    const { running } = await watchOf('killed', '--until-end');
    const { keeper } = await data(['show', 'killed']);
    process.kill(keeper.pid, 'SIGKILL');
    const { exitCode, stderr } = await running.ended;
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/TD killed: it is lost.*\n.*its keeper, process \d+, died/);
  });

  test('is left to its keeper by Ctrl-C', async () => {
    await create('left');
    const { running } = await watchOf('left');
    running.child.kill('SIGINT');
    const { exitCode, stderr } = await running.ended;
    expect({ exitCode, left: stderr.includes('left TD left to its keeper') }).toEqual({
      exitCode: 0,
      left: true,
    });
    expect((await data(['show', 'left'])).state).toBe('running');
  });

  test('that is over is not watched, and one that never was is not found', async () => {
    await create('over');
    await cli(['kill', 'over', '--wait']);
    expect((await cli(['watch', 'over', '--tree'])).exitCode).toBe(4);
    const { exitCode, stderr } = await cli(['watch', 'ovre', '--tree']);
    expect({ exitCode, hint: stderr.includes('did you mean `over`?') }).toEqual({
      exitCode: 3,
      hint: true,
    });
  });

  test('takes no option of a run that is only to begin', async () => {
    await create('paced');
    for (const option of ['--paused', '--host=sim', '--fault=TDH.MNG.CREATE=TDX_OPERAND_BUSY']) {
      const { exitCode, stderr } = await cli(['watch', 'paced', option]);
      expect({ exitCode, stderr }).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining('goes at its own pace'),
      });
    }
  });
});
