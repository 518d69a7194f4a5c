/** Who makes and runs a kept TD: tdctl itself, or QEMU where the TrustDomain file says so. */
import { randomUUID } from 'node:crypto';
import { sharedHostName } from '../../../host/identity.ts';
import type { AttachedVmm } from '../../../keeper/engines/attach.ts';
import type { Engine } from '../../../keeper/keep.ts';
import type { Life } from '../../../keeper/life.ts';
import type { KeepRequest } from '../../../keeper/request.ts';
import type { StateDirectory } from '../../../keeper/state-directory.ts';
import type { TdFiles } from '../../../keeper/td-files.ts';
import type { OpenedTd } from '../open-td.ts';

interface Kept extends OpenedTd {
  readonly life: Life;
  readonly files: TdFiles;
  readonly env: NodeJS.ProcessEnv;
  readonly request: Pick<KeepRequest, 'host'>;
  readonly state: StateDirectory;
  readonly attached?: AttachedVmm | undefined;
}

/** @returns undefined where tdctl makes the TD itself. @throws TdctlError for what stands against QEMU. */
export async function engineOf(kept: Kept): Promise<Engine | undefined> {
  const { host, plan, life, files, env, request, state, attached } = kept;
  if (plan.spec.engine.kind === 'builtin') return undefined;
  // The code for it is loaded for it alone: most keepers have none of it.
  const [{ vmmFor }, { qemuEngine }, { startsOnSharedHost }] = await Promise.all([
    import('./vmm-for.ts'),
    import('../../../keeper/engines/qemu.ts'),
    import('../../../keeper/engines/on-shared-host.ts'),
  ]);
  const vmm = await vmmFor(plan.spec, {
    env,
    state,
    uuid: attached?.uuid ?? randomUUID(),
    vsockCid: attached?.vsockCid,
    isThere: attached !== undefined,
  });
  const shared = sharedHostName(request.host);
  const startProgram = shared === undefined ? undefined : startsOnSharedHost(shared, env);
  return qemuEngine({ host, plan, vmm, life, files, startProgram, attached });
}
