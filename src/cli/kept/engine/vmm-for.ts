/** The QEMU of a TD, and what stands against it. */
import { reservedCids } from '../../../keeper/engines/reserved-cids.ts';
import type { StateDirectory } from '../../../keeper/state-directory.ts';
import type { TrustDomain } from '../../../spec/trust-domain.ts';
import type { VmmPlan } from '../../../vmm/command-line/index.ts';
import { chooseCid, planVmm, probeMemory } from '../../../vmm/index.ts';
import { cidHolders } from '../../../vmm/preflight/index.ts';
import { cacheDirectory } from '../../cache-directory.ts';

interface Asked {
  readonly env: NodeJS.ProcessEnv;
  /** Of the life that it is for. */
  readonly uuid: string;
  /** Whose other TDs have context IDs. */
  readonly state: StateDirectory | undefined;
  /** Of a guest that is there: a TD that is made anew has the same. */
  readonly vsockCid?: number | undefined;
  /** It has been started by another keeper. */
  readonly isThere?: boolean | undefined;
}

/** @throws TdctlError the first that stands against it; nothing was begun. */
export function vmmFor(
  spec: TrustDomain,
  { env, state, vsockCid = freeCid(spec, state), ...asked }: Asked,
): Promise<VmmPlan> {
  const directory = cacheDirectory(env);
  const memory = directory === undefined ? undefined : probeMemory(directory);
  return planVmm(spec, { env, memory, vsockCid, ...asked });
}

function freeCid(
  { engine, name }: TrustDomain,
  state: StateDirectory | undefined,
): number | undefined {
  if (engine.kind !== 'qemu' || engine.vsock !== 'auto') return undefined;
  const reserved = state === undefined ? [] : reservedCids(state, name);
  return chooseCid(name, new Set([...cidHolders().map(({ cid }) => cid), ...reserved]));
}
