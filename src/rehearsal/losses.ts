/**
 * What a run has lost, and who lost it. A loss that the kernel or the module causes is reported as
 * theirs; one without such a cause is a violation of ours.
 */
import { makesVcpusFirst } from '../abi/kvm/kernels/record.ts';
import type { FaultRecord, KernelAbi, Snapshot } from '../simulator/index.ts';
import type { BelievedTd } from './believed.ts';
import type { MoveResult } from './record.ts';

export interface Loss {
  readonly what: 'TD' | 'key slot' | 'page' | 'cgroup charge';
  readonly count: number;
  readonly by: 'kernel' | 'module' | 'owner';
  readonly words: string;
}

export interface LossFacts {
  readonly snapshot: Snapshot;
  readonly kernelAbi: KernelAbi;
  readonly tds: readonly Pick<BelievedTd, 'name' | 'fate'>[];
  readonly moves: readonly MoveResult[];
  /** Whether a move was played whose destination has another number of vCPUs. */
  readonly vcpusDiffer: boolean;
  /** Only the faults that happened. */
  readonly faults: readonly FaultRecord[];
}

export function countLost(losses: readonly Loss[], what: Loss['what']): number {
  return losses.reduce((sum, loss) => sum + (loss.what === what ? loss.count : 0), 0);
}

export function lossesOf(facts: LossFacts): Loss[] {
  return [...lostTds(facts), ...lostSlots(facts), ...lostPages(facts), ...lostCharges(facts)];
}

function lostTds({ tds, moves, vcpusDiffer }: LossFacts): Loss[] {
  const died = tds.filter(({ fate }) => fate === 'died').length;
  const lost = tds
    .filter(({ fate }) => fate === 'lost')
    .map(({ name }): Loss => {
      const last = moves.findLast((move) => move.td === name);
      const answer = last?.error?.refusal?.errno ?? 'an error';
      const oops =
        vcpusDiffer && answer === 'EIO' ? '; a real kernel oopses there, at a NULL pointer' : '';
      const words = `the kernel killed the source of ${name} before the move answered ${answer}${oops}`;
      return { what: 'TD', count: 1, by: 'kernel', words };
    });
  if (died === 0) return lost;
  return [...lost, { what: 'TD', count: died, by: 'owner', words: 'died with its process' }];
}

/** These leaves give a key slot back. */
const freeingLeaves: ReadonlySet<string> = new Set([
  'TDH.VP.FLUSH',
  'TDH.MNG.VPFLUSHDONE',
  'TDH.PHYMEM.CACHE.WB',
  'TDH.MNG.KEY.FREEID',
]);

function lostSlots({ snapshot, kernelAbi, moves, faults }: LossFacts): Loss[] {
  const { leaked } = snapshot.keySlots;
  if (leaked === 0) return [];
  const overwritten = makesVcpusFirst(kernelAbi)
    ? 0
    : moves.filter(({ verdict }) => verdict !== 'sourceKept').length;
  const refusals = faults.filter(({ at }) => freeingLeaves.has(at)).length;
  const byKernel = Math.min(leaked, overwritten);
  const byModule = Math.min(leaked - byKernel, refusals);
  const losses: Loss[] = [
    {
      what: 'key slot',
      count: byKernel,
      by: 'kernel',
      words: 'the move overwrites the key slot that the destination had to take',
    },
    {
      what: 'key slot',
      count: byModule,
      by: 'module',
      words: 'the TDX module refused to give it back',
    },
  ];
  return losses.filter(({ count }) => count > 0);
}

/** These leaves give a page back; where one is refused, the kernel gives the page up. */
const pageLeaves: ReadonlySet<string> = new Set([
  'TDH.MEM.RANGE.BLOCK',
  'TDH.MEM.TRACK',
  'TDH.MEM.PAGE.REMOVE',
  'TDH.PHYMEM.PAGE.RECLAIM',
  'TDH.PHYMEM.PAGE.WBINVD',
]);

function lostPages({ snapshot, faults, vcpusDiffer }: LossFacts): Loss[] {
  const count = snapshot.hostPages.leaked;
  if (count > 0 && vcpusDiffer) {
    const words = 'of source vCPUs that have no partner in the destination';
    return [{ what: 'page', count, by: 'kernel', words }];
  }
  const refused = faults.some(({ at }) => pageLeaves.has(at));
  if (count === 0 || !(refused || snapshot.keySlots.leaked > 0)) return [];
  if (!refused) return [{ what: 'page', count, by: 'kernel', words: 'they go with the key slot' }];
  return [{ what: 'page', count, by: 'module', words: 'the TDX module refused to give them back' }];
}

/**
 * Kernels forget charges, as in the moves of both RFCs, or take them back twice, as on the error path of
 * __tdx_td_init() in arch/x86/kvm/vmx/tdx.c.
 */
function lostCharges({ snapshot }: LossFacts): Loss[] {
  const { keySlots, cgroups } = snapshot;
  const charged = cgroups.find(({ path }) => path === '/')?.usage ?? 0;
  const surplus =
    charged - (keySlots.assigned + keySlots.flushed + keySlots.leaked + keySlots.foreign);
  if (surplus === 0) return [];
  const words =
    surplus > 0
      ? "the move does not take the charge of the source's cgroup with it"
      : 'a charge that was refused is taken back a second time';
  return [{ what: 'cgroup charge', count: Math.abs(surplus), by: 'kernel', words }];
}
