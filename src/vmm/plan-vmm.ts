/** What a keeper starts: everything is found, and nothing taken. */
import type { TrustDomain } from '../spec/trust-domain.ts';
import type { VmmPlan } from './command-line/index.ts';
import { preflightVmm } from './preflight/index.ts';
import { type ProbeOptions, probeVmm } from './probe/index.ts';

export interface PlanVmmOptions extends ProbeOptions {
  readonly uuid: string;
  /** The number that was reserved, where the file says `auto`. */
  readonly vsockCid?: number | undefined;
  /** It has been started already: what it uses is in use by itself. */
  readonly isThere?: boolean | undefined;
}

/** @throws TdctlError the first that stands against it: TDCTL_E_HOST_UNSUPPORTED, TDCTL_E_DEVICE. */
export async function planVmm(
  spec: TrustDomain,
  { uuid, vsockCid, isThere, ...probe }: PlanVmmOptions,
): Promise<VmmPlan> {
  const { engine } = spec;
  if (engine.kind !== 'qemu') throw new Error('the builtin engine has no VMM');
  const program = await probeVmm(spec, probe);
  const { findings, disks, vfioFiles } = await preflightVmm(spec);
  const [first] = findings;
  if (first && isThere !== true) throw first;
  const cid = engine.vsock === 'auto' ? vsockCid : engine.vsock;
  if (engine.vsock === 'auto' && cid === undefined) throw new Error('no context ID was reserved');
  return { spec, program: program.path, uuid, vsockCid: cid, disks, vfioFiles };
}
