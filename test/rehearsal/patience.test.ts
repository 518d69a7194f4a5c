/** When a rehearsal says that nothing happens any more. */

import { spawn } from 'node:child_process';
import { getEventListeners, once } from 'node:events';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { untilStuck } from '../../src/rehearsal/patience.ts';
import { builtModule } from '../support/built.ts';
import { play } from './play.ts';

test('it is stuck after so many looks in a row that find nothing new, and not before (property)', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(2), { maxLength: 60 }),
      fc.integer({ min: 1, max: 8 }),
      async (added, looks) => {
        let count = 0;
        let looked = 0;
        await untilStuck({
          progress: () => count,
          signal: new AbortController().signal,
          looks,
          untilNextLook: async () => {
            count += added[looked] ?? 0;
            looked++;
          },
        });
        const seen = Array.from({ length: looked }, (_, look) => added[look] ?? 0);
        expect(seen.slice(-looks).every((each) => each === 0)).toBe(true);
        const runs = seen.slice(0, -1).join('').split(/[12]/);
        expect(Math.max(...runs.map((quiet) => quiet.length))).toBeLessThan(looks);
      },
    ),
  );
});

test('a process that was stopped for longer than all its looks is not stuck', async (context) => {
  const patience = builtModule('src/rehearsal/patience.ts');
  const script = `
    const { untilStuck } = await import(${JSON.stringify(patience)});
    let count = 0;
    const timer = setInterval(() => { count++; if (count < 40) return; process.exit(0); }, 50);
    console.log('begun');
    await untilStuck({ progress: () => count, looks: 10, signal: new AbortController().signal });
    process.exit(1);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  context.onTestFinished(() => void child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  child.kill('SIGSTOP');
  // Ten looks are a second. How long it really is does not matter, as long as it is longer.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  child.kill('SIGCONT');
  expect(await ended).toEqual([0, null]);
});

test('no look that is over listens for the end any more', async () => {
  const { signal } = new AbortController();
  const listening: number[] = [];
  const progress = () => {
    listening.push(getEventListeners(signal, 'abort').length);
    return 0;
  };
  await untilStuck({ progress, signal, looks: 3 });
  expect(listening).toEqual([0, 0, 0, 0]);
});

test('an operation that never ends is told, with the state that each TD is in', async () => {
  let hung = false;
  const { violations } = await play({
    kernelAbi: 'rfc-migration-v2',
    hooks: {
      aroundStep: (state, run) => {
        if (state !== 'creatingVcpus' || hung) return run();
        hung = true;
        return new Promise(() => undefined);
      },
    },
  });
  expect(violations[0]).toMatchObject({
    invariant: 'every-run-ends',
    detail: expect.stringContaining(
      'provision hello has not ended, and nothing happens any more (hello: provisioning.creatingVcpus)',
    ),
  });
});
