/** What must hold of guests that really run: they are witnesses of what is done to their TDs. */
import type { GuestPatience } from '../heard-guest.ts';
import type { LiveTd } from '../world.ts';
import { type Violation, violation } from './invariants.ts';

/** What its guest has said of itself since it was asked last. */
export function guestKeepsAll({ name, guest }: LiveTd): Violation[] {
  if (!guest.speaks) return [];
  return guest.newlyMissed().map((what) => violation('guest-keeps-all', `${name}: ${what}`));
}

/** A guest is not asked but listened to. */
export async function guestGoesOn(
  { name, guest, run, fate, plan }: LiveTd,
  patience: GuestPatience | undefined,
): Promise<Violation[]> {
  if (!guest.speaks || fate !== 'alive' || run?.state !== 'running') return [];
  // A destination that is to have other vCPUs has no others of the guest.
  const here = new Set(run.session.plan.vcpuIds);
  const vcpuIds = plan.vcpuIds.filter((id) => here.has(id));
  const silent = await guest.silentVcpus(vcpuIds, patience);
  if (silent.length === 0) return [];
  const which = `vCPU ${silent.join(', ')} of its guest counts no more`;
  return [violation('guest-goes-on', `${name} runs, and ${which}`)];
}
