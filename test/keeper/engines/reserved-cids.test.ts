/** The context ID of a guest is its TD's for as long as that is kept. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { reservedCids } from '../../../src/keeper/engines/reserved-cids.ts';
import { readKeptTd } from '../../../src/keeper/kept-tds.ts';
import { bootId } from '../../../src/keeper/moment.ts';
import type { StateDirectory } from '../../../src/keeper/state-directory.ts';
import type { StatusRecord } from '../../../src/keeper/status.ts';
import { freshState, identity, status } from '../support.ts';

function write(state: StateDirectory, name: string, vsockCid: number, over: Partial<StatusRecord>) {
  mkdirSync(state.tdPath(name), { mode: 0o700 });
  const keeper = identity();
  const { pid, startTime, pidNamespace } = keeper;
  const vmm = { pid, startTime, pidNamespace, bootId: bootId(), uuid: 'u', vsockCid };
  const td = status(name, { vmm, ...over });
  const file = join(state.tdPath(name), 'status.json');
  writeFileSync(file, JSON.stringify({ version: 1, keeper, life: 1, td }));
}

test('it is no other’s while its TD runs and while that is being made anew, and is free once that is over', async (context) => {
  const state = await freshState(context);
  write(state, 'web', 70_001, { state: 'running' });
  write(state, 'anew', 70_002, { state: 'releasing' });
  write(state, 'over', 70_003, { state: 'destroyed', holdsKeySlot: false });
  expect(reservedCids(state, 'other')).toEqual([70_002, 70_001]);
  expect(reservedCids(state, 'web')).toEqual([70_002]);
});

test('it is told of a TD for as long as it has it', async (context) => {
  const state = await freshState(context);
  write(state, 'web', 70_001, { state: 'running' });
  write(state, 'over', 70_003, { state: 'destroyed', holdsKeySlot: false });
  expect(readKeptTd(state, 'web')?.notes).toEqual(['its guest has the context ID 70001 (vsock)']);
  expect(readKeptTd(state, 'over')?.notes).toEqual([]);
});
