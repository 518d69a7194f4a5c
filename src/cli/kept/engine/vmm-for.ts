/** The QEMU of a TD, and what stands against it. */
import type { TrustDomain } from '../../../spec/trust-domain.ts';
import { planVmm, probeMemory } from '../../../vmm/index.ts';
import { cacheDirectory } from '../../compile-cache.ts';

interface Asked {
  readonly env: NodeJS.ProcessEnv;
  /** Of the life that it is for. */
  readonly uuid: string;
}

export function vmmFor(spec: TrustDomain, { env, uuid }: Asked) {
  const directory = cacheDirectory(env);
  const memory = directory === undefined ? undefined : probeMemory(directory);
  return planVmm(spec, { env, uuid, memory });
}

/** @throws TdctlError the first that stands against it; nothing was begun. */
export async function checkVmm(spec: TrustDomain, env: NodeJS.ProcessEnv): Promise<void> {
  const { findings } = await vmmFor(spec, { env, uuid: '00000000-0000-0000-0000-000000000000' });
  const [first] = findings;
  if (first !== undefined) throw first;
}
