/** These checks use what can be known before anything is made, so a refusal here costs nothing. */
import { hasTag } from '../../../machines/state-id.ts';
import { tdLifecycle } from '../../../machines/td-lifecycle/index.ts';
import type { ErrnoName } from '../../abi/kvm/errno.ts';
import { TdctlError } from '../../errors/index.ts';
import { KvmError } from '../../host/kvm-error.ts';
import { freeKeySlots } from '../../host/offer.ts';
import type { MigrationSession } from './session.ts';

export async function checkMigration(session: MigrationSession): Promise<void> {
  checkSource(session);
  if (session.checks === 'none') return;
  checkVcpuCounts(session);
  await checkKernel(session);
  await checkKeySlot(session);
  await checkCgroup(session);
}

/** Without a whole TD there is nothing to move, whatever the checks. */
function checkSource({ source }: MigrationSession): void {
  if (hasTag(tdLifecycle, source.state, 'whole')) return;
  throw new TdctlError({
    code: 'TDCTL_E_MIGRATION_REFUSED',
    op: 'look at the source',
    message: `the TD is \`${source.state}\`, and only a runnable, running or paused TD can move`,
    hint: 'wait until it is runnable; a TD that has moved away or was stopped is not here any more',
  });
}

/** Neither RFC refuses this as it should: v1 answers success, and v2 ends in an oops of the kernel. */
function checkVcpuCounts({ source, destinationPlan }: MigrationSession): void {
  const from = source.plan.vcpuIds.length;
  const to = destinationPlan.vcpuIds.length;
  if (from === to) return;
  throw new TdctlError({
    code: 'TDCTL_E_MIGRATION_REFUSED',
    op: 'compare the vCPUs',
    message: `the source has ${from} vCPUs and the destination would have ${to}`,
    details: [
      'RFC v1 answers success and moves only the vCPUs that have a partner',
      'RFC v2 does not look: a source vCPU without a partner is a NULL pointer, an oops in the kernel',
    ],
    hint: 'give both the same number; to see what a kernel does, rehearse with --unchecked',
  });
}

/**
 * KVM_CHECK_EXTENSION is 1 on every Intel kernel, even where the request is always refused. An fd that
 * is not open tells the difference and moves nothing: EBADF comes only from the code that would move a
 * TD.
 */
async function checkKernel({ source }: MigrationSession): Promise<void> {
  const { plan } = source;
  const errno = await refusalOf(source.askForMove(), ['EBADF', 'EINVAL']);
  if (errno === 'EBADF') return;
  throw new TdctlError({
    code: 'TDCTL_E_HOST_UNSUPPORTED',
    op: 'ask whether the kernel moves TDs',
    message: `the kernel (${plan.facts.kernel.rules}) does not move TDs: KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM answered ${errno}`,
    details: [
      'no released kernel does; the patch series rfc-migration-v2 and rfc-migration-v1 do (docs/kernels.md)',
    ],
    hint: '`tdctl rehearse SPEC --kernel rfc-migration-v2` plays it under a kernel that does; `--hops 0` leaves it out',
  });
}

/** @throws KvmError for a refusal that tells nothing. */
async function refusalOf(request: Promise<void>, telling: readonly ErrnoName[]): Promise<string> {
  try {
    await request;
    return 'success';
  } catch (error) {
    const isTelling = telling.some((code) => error instanceof KvmError && error.code === code);
    if (isTelling) return (error as KvmError).code;
    throw error;
  }
}

/**
 * Where vCPUs come only after KVM_TDX_INIT_VM, as in the seeds, the destination takes a key slot too.
 */
async function checkKeySlot({ host, destinationPlan }: MigrationSession): Promise<void> {
  const { kernel } = destinationPlan.facts;
  if (kernel.vcpusBeforeInitVm) return;
  const free = freeKeySlots(await host.keySlots());
  if (free === undefined || free > 0) return;
  throw new TdctlError({
    code: 'TDCTL_E_NO_KEY_SLOT',
    op: 'look for a key slot',
    message: `under ${kernel.rules} the destination takes a key slot that it will never use, and all are in use`,
    hint: 'stop a TD first, or use a kernel that makes vCPUs before KVM_TDX_INIT_VM',
  });
}

/** RFC v2 charges the destination after it has killed the source: a full cgroup loses the TD. */
async function checkCgroup({ host, source }: MigrationSession): Promise<void> {
  if (host.cgroup === undefined || host.cgroup === source.cgroup) return;
  const room = await host.cgroupRoom();
  if (room === undefined || room > 0) return;
  throw new TdctlError({
    code: 'TDCTL_E_CGROUP_LIMIT',
    op: 'look at the misc cgroup of the destination',
    message: `the cgroup ${host.cgroup} of the destination allows no further TD`,
    details: ['RFC v2 finds that out after it has killed the source, and the TD is lost'],
    hint: 'raise `misc.max` of that cgroup or of the one above it, or run the destination elsewhere',
  });
}
