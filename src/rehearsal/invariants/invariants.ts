/**
 * What must hold in every rehearsal, whatever fails (docs/invariants.md has a section for each). They
 * are judged by the machine's own snapshot, which knows nothing of tdctl.
 */
import { hasTag } from '../../../machines/state-id.ts';
import { tdLifecycle } from '../../../machines/td-lifecycle/index.ts';
import type { Snapshot, VmSnapshot } from '../../simulator/index.ts';
import type { Believed, BelievedTd } from '../believed.ts';
import { countLost, type Loss } from '../losses.ts';

export const invariants = [
  {
    name: 'no-lost-key-slot',
    says: 'no key slot is lost unless the TDX module or the kernel said so',
  },
  { name: 'one-owner', says: 'a TD is never runnable in two VMs' },
  { name: 'owner-or-verdict', says: 'a TD that nobody gave up is in a VM' },
  { name: 'one-owner-per-page', says: 'no page of a TD belongs to two VMs' },
  { name: 'kept-source-runs', says: 'a TD that a failed move leaves in the source runs there' },
  {
    name: 'guest-goes-on',
    says: 'a guest that runs counts on, in whatever VM its TD is',
  },
  {
    name: 'guest-keeps-all',
    says: 'no register, no count and no byte of a guest is lost',
  },
  { name: 'nothing-remains', says: 'nothing of a TD that has ended remains' },
  { name: 'every-run-ends', says: 'every run comes to an end' },
  { name: 'belief-matches-host', says: 'what tdctl believes is what the host has' },
  { name: 'undo-harmless', says: 'an undo leaves the host as it was before' },
] as const satisfies readonly { readonly name: string; readonly says: string }[];

export type InvariantName = (typeof invariants)[number]['name'];

export interface Violation {
  readonly invariant: InvariantName;
  readonly detail: string;
  /** The operation after which it was found; undefined where that was at the end. */
  readonly after?: string | undefined;
}

/** What dies with its owner is undone by nobody. */
export function someTdDied({ tds }: Believed): boolean {
  return tds.some(({ fate }) => fate === 'died');
}

/** What is judged while TDs are at rest, between two operations. */
export function judgeAtRest({ tds }: Believed, snapshot: Snapshot): Violation[] {
  return [
    ...twoOwners(snapshot),
    ...pagesOfTwo(snapshot),
    ...tds.flatMap((td) => [...ownerOrVerdict(td, snapshot), ...beliefMatches(td, snapshot)]),
  ];
}

/** It is cheap enough to be judged at every event of a run. */
export function twoOwners({ vms }: Snapshot): Violation[] {
  const owners = new Map<number, number>();
  for (const { dead, td } of vms) {
    if (dead || td?.state !== 'RUNNABLE' || td.tdr === undefined) continue;
    owners.set(td.tdr, (owners.get(td.tdr) ?? 0) + 1);
  }
  return [...owners]
    .filter(([, vms]) => vms > 1)
    .map(([tdr, vms]) => violation('one-owner', `the TD at ${hex(tdr)} is runnable in ${vms} VMs`));
}

function pagesOfTwo({ pagesOfTwoVms }: Snapshot): Violation[] {
  if (pagesOfTwoVms === 0) return [];
  return [violation('one-owner-per-page', `${pagesOfTwoVms} pages belong to two VMs`)];
}

function ownerOrVerdict({ name, fate, tdr }: BelievedTd, { vms }: Snapshot): Violation[] {
  if (tdr === undefined) return [];
  const owner = ownerOf(tdr, vms);
  if (fate === 'alive' && owner === undefined) {
    return [violation('owner-or-verdict', `${name} is in no VM, and nobody said so`)];
  }
  if (fate === 'lost' && owner !== undefined) {
    return [violation('owner-or-verdict', `${name} is called lost, and VM ${owner.id} has it`)];
  }
  return [];
}

/** The VM that could run this TD. A VM without an fd can do nothing, whatever keeps it alive. */
export function ownerOf(tdr: number, vms: Snapshot['vms']): VmSnapshot | undefined {
  return vms.find(
    (vm) => vm.fdOpen && !vm.dead && vm.td?.tdr === tdr && vm.td.state === 'RUNNABLE',
  );
}

function beliefMatches(td: BelievedTd, { vms }: Snapshot): Violation[] {
  const { state, name, fate } = td;
  if (state === undefined || fate !== 'alive') return [];
  const vm = td.vmIn(vms);
  const isThere = vm !== undefined && !vm.dead && vm.td?.state === 'RUNNABLE';
  if (hasTag(tdLifecycle, state, 'whole') === isThere) return [];
  const has =
    vm === undefined ? 'has no such VM' : `has VM ${vm.id} ${vm.dead ? 'dead' : vm.td?.state}`;
  return [violation('belief-matches-host', `${name} is ${state} for tdctl, and the host ${has}`)];
}

/** Once everything is stopped, the host must be as it was before, but for the losses that are reported. */
export function judgeAtEnd(
  { liveProcesses }: Pick<Believed, 'liveProcesses'>,
  snapshot: Snapshot,
  losses: readonly Loss[],
): Violation[] {
  const { keySlots, vms, hostPages, handles } = snapshot;
  const lostSlots = countLost(losses, 'key slot');
  const lostPages = countLost(losses, 'page');
  const remains = Object.entries({
    VMs: vms.length,
    'key slots in use': keySlots.assigned + keySlots.flushed,
    pages: hostPages.inUse,
    'pages that nobody lost': hostPages.leaked > lostPages ? hostPages.leaked : 0,
    'open files': handles - liveProcesses,
  }).flatMap(([what, number]) => (number > 0 ? [`${number} ${what}`] : []));
  const lost = `${keySlots.leaked} key slots are lost, and ${lostSlots} of them are accounted for`;
  return [
    ...(remains.length > 0 ? [violation('nothing-remains', `left: ${remains.join(', ')}`)] : []),
    ...(keySlots.leaked > lostSlots ? [violation('no-lost-key-slot', lost)] : []),
  ];
}

/** The two must be the same but for the clock and the handles of new processes. */
export function changedBy(before: Snapshot, after: Snapshot): string[] {
  return (['keySlots', 'vms', 'pages'] as const).filter(
    (part) => JSON.stringify(before[part]) !== JSON.stringify(after[part]),
  );
}

export function violation(invariant: InvariantName, detail: string): Violation {
  return { invariant, detail };
}

function hex(address: number): string {
  return `0x${address.toString(16)}`;
}
