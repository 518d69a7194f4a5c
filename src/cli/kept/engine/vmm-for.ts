/** The QEMU of a TD, and what stands against it. */
import type { TrustDomain } from '../../../spec/trust-domain.ts';
import type { VmmPlan } from '../../../vmm/command-line/index.ts';
import { chooseCid, planVmm, probeMemory } from '../../../vmm/index.ts';
import { cidHolders } from '../../../vmm/preflight/index.ts';
import { cacheDirectory } from '../../bundled/cache-directory.ts';

interface Asked {
  readonly env: NodeJS.ProcessEnv;
  /** Of the life that it is for. */
  readonly uuid: string;
  /** It has been started by another keeper. */
  readonly isThere?: boolean | undefined;
}

/** @throws TdctlError the first that stands against it; nothing was begun. */
export function vmmFor(spec: TrustDomain, { env, ...asked }: Asked): Promise<VmmPlan> {
  const directory = cacheDirectory(env);
  const memory = directory === undefined ? undefined : probeMemory(directory);
  return planVmm(spec, { env, memory, vsockCid: freeCid(spec), ...asked });
}

function freeCid({ engine, name }: TrustDomain): number | undefined {
  if (engine.kind !== 'qemu' || engine.vsock !== 'auto') return undefined;
  return chooseCid(name, new Set(cidHolders().map(({ cid }) => cid)));
}
