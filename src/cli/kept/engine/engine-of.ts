/** Who makes and runs a kept TD: tdctl itself, or QEMU where the TrustDomain file says so. */
import { randomUUID } from 'node:crypto';
import type { AttachedVmm } from '../../../keeper/engines/attach.ts';
import { qemuEngine } from '../../../keeper/engines/qemu.ts';
import type { Engine } from '../../../keeper/keep.ts';
import type { Life } from '../../../keeper/life.ts';
import type { TdFiles } from '../../../keeper/td-files.ts';
import type { TrustDomain } from '../../../spec/trust-domain.ts';
import type { VmmPlan } from '../../../vmm/command-line/index.ts';
import { probeVmm } from '../../../vmm/probe/index.ts';
import type { OpenedTd } from '../open-td.ts';

interface Kept extends OpenedTd {
  readonly life: Life;
  readonly files: TdFiles;
  readonly env: NodeJS.ProcessEnv;
  readonly attached?: AttachedVmm | undefined;
}

/** @returns undefined where tdctl makes the TD itself. @throws TdctlError where QEMU is not to be had. */
export async function engineOf(kept: Kept): Promise<Engine | undefined> {
  const { host, plan, life, files, env, attached } = kept;
  if (plan.spec.engine.kind === 'builtin') return undefined;
  const vmm = await vmmPlanOf(plan.spec, { env, uuid: attached?.uuid ?? randomUUID() });
  return qemuEngine({ host, plan, vmm, life, files, attached });
}

async function vmmPlanOf(
  spec: TrustDomain,
  { env, uuid }: { readonly env: NodeJS.ProcessEnv; readonly uuid: string },
): Promise<VmmPlan> {
  const { engine } = spec;
  if (engine.kind !== 'qemu') throw new Error('the builtin engine has no VMM');
  const { path: program } = await probeVmm(spec, { env });
  const disks = engine.disks.map(({ path, format }) => [{ path, format, isBlockDevice: false }]);
  return { spec, program, uuid, disks, vfioFiles: [] };
}
