/** The VM of the source on this side, in the way that the host has for it. */
import { TdctlError } from '../../../errors/index.ts';
import { grants, hasProcesses } from '../../../host/passing.ts';
import type { Host } from '../../../host/port.ts';
import { grantedVm } from '../../../keeper/move/granted-vm.ts';
import type { SourceVm } from '../../../keeper/move/source-vm.ts';
import { twinVm } from '../../../keeper/move/twin-vm.ts';
import type { TdPlan } from '../../../plan/index.ts';
import type { Reached } from './reach-source.ts';

interface Bringing extends Pick<Reached, 'peer' | 'stands'> {
  readonly host: Host;
  readonly plan: TdPlan;
}

const deadlineMs = 60_000;

export async function bringVm({ host, plan, peer, stands }: Bringing): Promise<SourceVm> {
  if (grants(host)) {
    return grantedVm(host, await peer.ask('grant', { to: host.process }, { deadlineMs }));
  }
  if (hasProcesses(host)) return twinVm(host, { plan, mrtd: stands.mrtd });
  throw new TdctlError({
    code: 'TDCTL_E_HOST_UNSUPPORTED',
    op: 'move a TD to another keeper',
    message: `nothing of a VM passes between processes on ${plan.facts.name}`,
    hint: 'the TD stays where it is',
  });
}
