/** The plan of examples/hello.yaml on a simulated host. */
import { loadFirmware } from '../../src/firmware/index.ts';
import { openSimulatedHost } from '../../src/host/simulated/index.ts';
import { planTd, type TdPlan } from '../../src/plan/index.ts';
import { askHost } from '../../src/plan/judge/index.ts';
import { loadTrustDomain } from '../../src/spec/index.ts';
import { projectRoot } from './tdctl.ts';

export const profile = 'spr-1.5';

export const spec = await loadTrustDomain(`${projectRoot}/examples/hello.yaml`);
export const firmware = await loadFirmware(spec.firmware);

export async function helloPlan(kernelAbi: string): Promise<TdPlan> {
  const host = openSimulatedHost({ profile, kernelAbi });
  const plan = planTd({ spec, firmware, host: await askHost(host) });
  await host.close();
  return plan;
}
