/** What plan says of memory is what the simulated kernel answers when the guest takes it. */
import { join } from 'node:path';
import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { loadFirmware } from '../../src/firmware/index.ts';
import { openSimulatedHost } from '../../src/host/simulated/index.ts';
import { startTd } from '../../src/orchestrator/index.ts';
import { assessTd } from '../../src/plan/index.ts';
import {
  askHost,
  type JudgedHost,
  judgeTd,
  memoryNeed,
  prepareTd,
} from '../../src/plan/judge/index.ts';
import { type HostProfile, hostProfiles } from '../../src/simulator/index.ts';
import { parseTrustDomain } from '../../src/spec/index.ts';
import { projectRoot } from '../support/tdctl.ts';

const firmware = await loadFirmware({ path: join(projectRoot, 'examples/firmware/hello.fd') });

function specOf(fields: Record<string, unknown>) {
  const text = JSON.stringify({
    apiVersion: 'tdctl.io/v1alpha1',
    kind: 'TrustDomain',
    metadata: { name: 'td' },
    spec: { vcpus: 1, memory: '64MiB', firmware: 'none.fd', ...fields },
  });
  return parseTrustDomain(text, { path: 'td.yaml' });
}

const spr: HostProfile = hostProfiles['spr-1.5'];
const withMemory = (memoryBytes: bigint, limits: Partial<HostProfile> = {}): HostProfile => ({
  ...spr,
  ...limits,
  platform: { ...spr.platform, memoryBytes },
});

/** What becomes of the TDs when they are started one after the other, whatever anybody says of them. */
async function started(profile: HostProfile, spec: ReturnType<typeof specOf>, count: number) {
  const host = openSimulatedHost({ profile, kernelAbi: 'upstream-7.3' });
  const judged: string[] = [];
  const answers: string[] = [];
  for (let i = 0; i < count; i++) {
    const now = await askHost(host);
    judged.push(judgeTd(prepareTd(spec, { firmware }), now).length === 0 ? 'fits' : 'cannot');
    const { plan } = assessTd({ spec, firmware, host: { ...now, memory: undefined } });
    if (plan === undefined) throw new Error('only memory stands against it');
    const td = startTd({ host, plan, onEvent: () => {} });
    const isRunnable = await td.runnable;
    if (isRunnable) td.send({ type: 'td.start' });
    if (isRunnable && (await td.reaches('running'))) answers.push('fits');
    else
      answers.push(JSON.stringify((await td.ended).error).includes('ENOMEM') ? 'cannot' : 'other');
  }
  return { judged, answers, host };
}

/** The least memory that a host needs for one of these TDs, found by asking. */
function leastPages(spec: ReturnType<typeof specOf>, facts: JudgedHost): bigint {
  return memoryNeed(prepareTd(spec, { firmware }), facts).hostBytes / 4096n;
}

describe('the memory of a host', () => {
  propertyTest.prop(
    {
      memoryMiB: fc.integer({ min: 16, max: 4096 }),
      vcpus: fc.integer({ min: 1, max: 6 }),
      gpaw: fc.constantFrom(48, 52),
      pages: fc.integer({ min: -2, max: 2 }),
    },
    { numRuns: 40 },
  )('is judged to the page as the simulated kernel hands it out', async (given) => {
    const { memoryMiB, pages, ...fields } = given;
    const spec = specOf({ ...fields, memory: `${memoryMiB}MiB` });
    const probe = openSimulatedHost({ profile: spr, kernelAbi: 'upstream-7.3' });
    const needed = leastPages(spec, await askHost(probe));
    // The PAMT of a host of about this size, and page 0, which is never given out.
    let total = needed + 1n + BigInt(pages);
    for (let i = 0; i < 4; i++) {
      const host = openSimulatedHost({
        profile: withMemory(total * 4096n),
        kernelAbi: 'upstream-7.3',
      });
      const left = (await askHost(host)).memory?.availableBytes ?? 0n;
      total += needed + BigInt(pages) - left / 4096n;
    }
    const { judged, answers } = await started(withMemory(total * 4096n), spec, 1);
    expect(answers).toEqual([pages >= 0 ? 'fits' : 'cannot']);
    expect(judged).toEqual(answers);
  });

  test('goes to TDs one by one, and the first that is too much is ENOMEM where its guest runs', async () => {
    const spec = specOf({ memory: '1GiB' });
    const { judged, answers } = await started(withMemory(4n << 30n), spec, 5);
    expect(answers).toEqual(['fits', 'fits', 'fits', 'cannot', 'cannot']);
    expect(judged).toEqual(answers);
  });

  test('comes back whole when the TDs are gone', async () => {
    const profile = withMemory(4n << 30n);
    const { host } = await started(profile, specOf({ memory: '1GiB' }), 5);
    host.exitProcess();
    const fresh = openSimulatedHost({ profile, kernelAbi: 'upstream-7.3' });
    expect((await host.memory()).availableBytes).toBe((await fresh.memory()).availableBytes);
  });
});

test('memory.max of the cgroup bounds TDs as memory of the host does', async () => {
  const profile = withMemory(64n << 30n, { cgroupLimits: [{ path: '/', memoryBytes: 3n << 30n }] });
  const { judged, answers } = await started(profile, specOf({ memory: '1GiB' }), 4);
  expect(answers).toEqual(['fits', 'fits', 'cannot', 'cannot']);
  expect(judged).toEqual(answers);
});
