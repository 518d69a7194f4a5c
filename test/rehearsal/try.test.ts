import { test } from 'vitest';
import { openSimulatedHost } from '../../src/host/simulated/index.ts';
import { planTd } from '../../src/plan/index.ts';
import { loadTrustDomain } from '../../src/spec/index.ts';
import { loadFirmware } from '../../src/firmware/index.ts';
import { possibleFaults } from '../../src/simulator/index.ts';
import { standardScenario } from '../../src/rehearsal/scenario.ts';
import { rehearseSimulated } from '../../src/rehearsal/rehearse-once.ts';
import { formatRehearsalFault } from '../../src/rehearsal/faults/fault.ts';

test('try', async () => {
  const kernelAbi = 'rfc-migration-v2';
  const host = openSimulatedHost({ profile: 'spr-1.5', kernelAbi });
  const spec = await loadTrustDomain('examples/hello.yaml');
  const firmware = await loadFirmware(spec.firmware);
  const plan = planTd({ spec, firmware, facts: await host.facts() });
  const scenario = standardScenario({ plan, count: 1, hops: 1, checks: 'all' });
  const place = { profile: 'spr-1.5', kernelAbi };
  const base = await rehearseSimulated(place, { scenario, traced: true });
  console.log(base.results.map((r) => `${r.operation.do} ${r.result} ${r.verdict} ${r.error?.message}`), base.violations, base.losses, base.elapsedMs, base.record.blackouts, base.record.peakSlots, base.trace.length);
  const faults = possibleFaults(base.trace);
  const kinds = new Map<string, number>();
  for (const f of faults) kinds.set(f.at, (kinds.get(f.at) ?? 0) + 1);
  console.log(faults.length, [...kinds]);
  let t = performance.now();
  for (let i = 0; i < 300; i++) await rehearseSimulated(place, { scenario });
  console.log('per s', 300_000 / (performance.now() - t));
  t = performance.now();
  const outcomes = new Map<string, number>();
  for (const fault of faults) {
    const run = await rehearseSimulated(place, { scenario, faults: [fault] });
    const o = run.results.map((r) => r.verdict ?? r.result).join(' ') + ' | ' + run.losses.map((l) => `${l.what} ${l.by}`).join(',');
    outcomes.set(o, (outcomes.get(o) ?? 0) + 1);
    if (run.violations.length) console.log(formatRehearsalFault(fault), run.violations);
  }
  console.log(performance.now() - t, outcomes);
}, 100000);
