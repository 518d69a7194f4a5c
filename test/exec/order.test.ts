/** Calls and closes come to the machine in the order in which programs make them, whoever hears them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { execute, program, scratch } from './programs.ts';

/** In test/fixtures/exec/in-turn.c: so many threads, and each in its turn makes, asks, or closes. */
const members = 9;
const turns = 300 * members;

test('threads of several processes that take turns are traced in their turns', async (context) => {
  const trace = join(scratch, 'in-turn.trace');
  const args = ['--trace', trace];
  const { exitCode, stderr } = await execute([program(context, 'in-turn'), `${turns}`], { args });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const lines = readFileSync(trace, 'utf8')
    .split('\n')
    .filter((line) => /vm#/.test(line));
  expect(lines).toHaveLength(turns);
  const vms: string[] = [];
  for (const [turn, line] of lines.entries()) {
    const member = turn % members;
    const step = Math.floor(turn / members) % 3;
    if (step === 0) {
      vms[member] = /KVM_CREATE_VM\(.*\) = fd \[(vm#\d+)\]$/.exec(line)?.[1] ?? line;
      expect(vms[member]).toMatch(/^vm#/);
    } else if (step === 1) {
      expect(line).toContain(`${vms[member]}.KVM_CHECK_EXTENSION(cap=${1000 + turn})`);
    } else {
      expect(line).toBe(`-- last close of ${vms[member]}`);
    }
  }
});

test('a key slot is free for whoever knows that its TD was closed', async (context) => {
  const { exitCode, stderr, summary } = await execute([program(context, 'one-slot-in-turn')], {
    host: 'sim:one-slot',
  });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(summary.keySlots).toMatchObject({ peak: 1, used: 0 });
});
