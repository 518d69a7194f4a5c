/** What the list says of one TD, at each moment that can be looked at. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import type { KeptTd } from '../../../src/keeper/kept-td.ts';
import { readKeptTds } from '../../../src/keeper/kept-tds.ts';
import { openStateDirectory } from '../../../src/keeper/state-directory.ts';
import { http } from '../../keeper/keepers.ts';
import { hasEnded } from '../../support/processes.ts';

/** Somebody has it, or is at it. */
const atRest = ['running', 'paused', 'runnable', 'moved'];
const underWay = ['moving', 'releasing', 'stopping', 'creating'];

export async function watchTd(name: string) {
  const state = await openStateDirectory(process.env, { create: true });
  let isOver = false;
  let watching: Promise<void> | undefined;
  const look = (): KeptTd => {
    const found = readKeptTds(state).filter((td) => td.name === name);
    expect(found).toHaveLength(1);
    const td = found[0] as KeptTd;
    const words = [td.error?.message ?? '', ...td.notes].join(' ').trim();
    if (![...atRest, ...underWay].includes(td.state)) {
      expect(`${td.state}: ${words}`).toMatch(/process \d+/);
    }
    return td;
  };
  const watch = async () => {
    while (!isOver) {
      look();
      await delay(2);
    }
  };
  return {
    begin() {
      watching = watch();
      watching.catch(() => undefined);
    },
    /** @returns it as it is once nobody is at it any more, and of the processes only who has it is there. */
    async end(pids: readonly number[]): Promise<KeptTd> {
      let td = look();
      const isSettled = async () => {
        if ([...underWay, 'unknown', 'draining'].includes(td.state)) return false;
        if (td.state !== 'running') return pids.every(hasEnded);
        return pids.filter((pid) => !hasEnded(pid)).length <= 1 && (await isSaidToRun(name));
      };
      for (; !(await isSettled()); td = look()) await delay(5);
      isOver = true;
      await watching;
      return td;
    },
  };
}

/** One that has just been let go on (SIGCONT) has written nothing since; where it has come to, it says when it is asked. */
async function isSaidToRun(name: string): Promise<boolean> {
  const answer = await http(name, 'GET', '/v1/td').catch(() => undefined);
  return answer?.body.state === 'running';
}
