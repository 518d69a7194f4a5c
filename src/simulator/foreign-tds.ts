/** Key slots that TDs of other processes hold. Nothing else of those TDs is modelled. */
import type { Kernel } from './kernel/kernel.ts';

/** Their cgroup: beside the caller's, below the same root. */
const foreignCgroup = '/other-tds';

export class ForeignTds {
  readonly #kernel: Kernel;
  readonly #hkids: number[] = [];

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  get hkids(): readonly number[] {
    return this.#hkids;
  }

  /** Takes slots, or (negative) gives some back; as many as there are. Answers how many that was. */
  change(count: number): number {
    let done = 0;
    const step = count > 0 ? () => this.#takeOne() : () => this.#giveOne();
    while (done < Math.abs(count) && step()) done++;
    return done;
  }

  #takeOne(): boolean {
    const { keyIds, cgroup, tdx } = this.#kernel;
    const hkid = keyIds.allocate();
    if (hkid === undefined) return false;
    if (!cgroup.tryCharge(foreignCgroup)) {
      keyIds.free(hkid);
      return false;
    }
    const entry = tdx?.module.keys.entry(hkid);
    if (entry !== undefined) entry.state = 'ASSIGNED';
    this.#hkids.push(hkid);
    return true;
  }

  #giveOne(): boolean {
    const { keyIds, cgroup, tdx } = this.#kernel;
    const hkid = this.#hkids.pop();
    if (hkid === undefined) return false;
    const entry = tdx?.module.keys.entry(hkid);
    if (entry !== undefined) entry.state = 'FREE';
    keyIds.free(hkid);
    cgroup.uncharge(foreignCgroup);
    return true;
  }
}
