/** How many TDs a host takes is how many the simulated host lets run, and one more is refused for what was said. */
import { join } from 'node:path';
import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { loadFirmware } from '../../src/firmware/index.ts';
import { readHostOffer } from '../../src/host/offer.ts';
import { openSimulatedHost } from '../../src/host/simulated/index.ts';
import { startTd } from '../../src/orchestrator/index.ts';
import { assessTd } from '../../src/plan/index.ts';
import { askHost, judgeTd, type PreparedTd, prepareTd } from '../../src/plan/judge/index.ts';
import { roomFor } from '../../src/plan/room/index.ts';
import { type HostProfile, hostProfiles } from '../../src/simulator/index.ts';
import { parseTrustDomain } from '../../src/spec/index.ts';
import { projectRoot } from '../support/tdctl.ts';

const firmware = await loadFirmware({ path: join(projectRoot, 'examples/firmware/hello.fd') });
const kernelAbi = 'upstream-7.3';

function tdOf(fields: Record<string, unknown>): PreparedTd {
  const text = JSON.stringify({
    apiVersion: 'tdctl.io/v1alpha1',
    kind: 'TrustDomain',
    metadata: { name: 'td' },
    spec: { vcpus: 1, memory: '1GiB', firmware: 'none.fd', ...fields },
  });
  return prepareTd(parseTrustDomain(text, { path: 'td.yaml' }), { firmware });
}

const spr: HostProfile = hostProfiles['spr-1.5'];
const GIB = 1n << 30n;

const profiles = fc
  .record({
    memoryGib: fc.integer({ min: 2, max: 12 }),
    slots: fc.integer({ min: 1, max: 8 }),
    foreignTds: fc.integer({ min: 0, max: 3 }),
    max: fc.option(fc.integer({ min: 0, max: 8 }), { nil: undefined }),
    cgroupGib: fc.option(fc.integer({ min: 0, max: 8 }), { nil: undefined }),
  })
  .map(
    ({ memoryGib, slots, foreignTds, max, cgroupGib }): HostProfile => ({
      ...spr,
      platform: {
        ...spr.platform,
        memoryBytes: BigInt(memoryGib) * GIB,
        keyIds: { mktme: 0, tdxPrivate: slots + 1 },
      },
      foreignTds: Math.min(foreignTds, slots),
      cgroupLimits: [
        {
          path: '/',
          max,
          memoryBytes: cgroupGib === undefined ? undefined : BigInt(cgroupGib) * GIB,
        },
      ],
    }),
  );

/** Starts TDs, whatever anybody says of them, until one does not run. */
async function takenBy(profile: HostProfile, td: PreparedTd): Promise<number> {
  const host = openSimulatedHost({ profile, kernelAbi });
  const facts = await host.facts();
  const { plan } = assessTd({ spec: td.spec, firmware, host: { name: facts.name, facts } });
  for (let taken = 0; ; taken++) {
    if (plan === undefined) return 0;
    const run = startTd({ host, plan, onEvent: () => {} });
    if (!(await run.runnable)) return taken;
    run.send({ type: 'td.start' });
    if (!(await run.reaches('running'))) return taken;
  }
}

describe('the room of a host', () => {
  propertyTest.prop(
    {
      profile: profiles,
      memory: fc.constantFrom('512MiB', '1GiB', '3GiB'),
      vcpus: fc.integer({ min: 1, max: 225 }),
    },
    { numRuns: 25 },
  )('is what the simulated host takes, and 0 exactly where a start is refused', async (given) => {
    const td = tdOf({
      memory: given.memory,
      vcpus: given.vcpus > 200 ? given.vcpus : 1 + (given.vcpus % 3),
    });
    const host = openSimulatedHost({ profile: given.profile, kernelAbi });
    const judged = await askHost(host, await readHostOffer(host));
    const { taken, demands } = roomFor([{ name: 'td', td }], judged);
    expect(judgeTd(td, judged).length === 0).toBe((taken ?? 0) > 0);
    expect(demands[0]?.stops).not.toEqual([]);
    const really = await takenBy(given.profile, td);
    // Pages of the secure EPT count against memory.max in the kernel, and not in the simulated one.
    if (demands[0]?.stops.every(({ id }) => id !== 'cgroupMemory')) expect(taken).toBe(really);
    else expect(taken).toBeLessThanOrEqual(really);
  });

  test('goes to several kinds in their order, and a later one gets what is left', async () => {
    const host = openSimulatedHost({
      profile: { ...spr, platform: { ...spr.platform, memoryBytes: 8n * GIB } },
      kernelAbi,
    });
    const judged = await askHost(host);
    const room = roomFor(
      [
        { name: 'big', td: tdOf({ memory: '3GiB' }), count: 2 },
        { name: 'small', td: tdOf({ memory: '1GiB' }), count: 5 },
      ],
      judged,
    );
    expect(room).toMatchObject({ taken: 3, isEnough: false });
    expect(room.demands.map(({ taken }) => taken)).toEqual([2, 1]);
    expect(room.demands[1]?.stops.map(({ id, holds }) => `${id} ${holds}`)).toEqual(['memory now']);
  });

  test('is not known of a host that says nothing', () => {
    expect(roomFor([{ name: 'td', td: tdOf({}) }], { name: 'blank' })).toMatchObject({
      taken: null,
      isEnough: true,
    });
  });
});
