/** A process may make any number of TDs. This measures its own heap, so it runs in a process of its own. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import {
  AddressSpace,
  openSimulatedHost,
  type SimulatedHost,
} from '../../src/host/simulated/index.ts';
import { startTd } from '../../src/orchestrator/index.ts';
import { helloPlan } from '../support/hello-plan.ts';
import { privateMemory } from './private-memory.ts';

const tebibyte = 1n << 40n;

async function live(host: SimulatedHost, sizeBytes: bigint): Promise<void> {
  const vm = await host.createVm({ type: 'KVM_X86_TDX_VM' });
  const { memory, guestMemory } = await privateMemory(host, vm, sizeBytes);
  memory.write({ offsetBytes: sizeBytes - 1n, bytes: new Uint8Array([1]) });
  await guestMemory.close();
  await vm.close();
  await memory.close();
}

test('TDs that come and go leave nothing behind: no address, no handle, no memory', async () => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  const heapBytes = () => {
    gc();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const host = openSimulatedHost();
  // The first ones also make what is made once: compiled code, tables of checks.
  for (let td = 0; td < 5000; td++) await live(host, 2n * tebibyte);
  const before = heapBytes();
  // Together they have the addresses of a process more than 300 times over.
  for (let td = 0; td < 20_000; td++) await live(host, 2n * tebibyte);
  // What Vitest keeps meanwhile is some megabytes; an object of each TD would be more than 300 bytes.
  expect(heapBytes() - before).toBeLessThan(6_000_000);
  expect(host.snapshot()).toMatchObject({
    handles: 1,
    vms: [],
    hostPages: { inUse: 0, leaked: 0 },
  });
  await host.close();
});

test('whole lives through the chart use their addresses again', async () => {
  const plan = await helloPlan('upstream-7.3');
  const host = openSimulatedHost();
  const free = 1n << 29n;
  await host.mapMemory({ sizeBytes: 127n * tebibyte });
  await host.mapMemory({ sizeBytes: tebibyte - free });
  // What is left of the address space holds three of them at once.
  for (let td = 0; td < 20; td++) {
    const run = startTd({ host, plan, onEvent: () => undefined });
    expect(await run.runnable).toBe(true);
    run.stop();
    expect((await run.ended).error).toBeNull();
  }
});

test('a page is read with as many looks beside 16,000 mappings as beside few', () => {
  const space = new AddressSpace();
  const mappings = Array.from({ length: 16_000 }, () => space.map(4096n));
  let looks = 0;
  for (const each of mappings) {
    space.remove(each);
    space.add({
      get address() {
        looks++;
        return each.address;
      },
      sizeBytes: each.sizeBytes,
      bytesAt: (offset, length) => each.bytesAt(offset, length),
    });
  }
  looks = 0;
  const found = mappings.filter(({ address }) => space.read(address, 4096)?.length === 4096);
  expect(found).toHaveLength(mappings.length);
  expect(looks).toBeLessThanOrEqual(mappings.length);
});
