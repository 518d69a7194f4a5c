/** What tdctl believes of the TDs of a scenario, wherever they are kept: what is judged beside the machine's snapshot. */
import type { TdStateId } from '../../machines/td-lifecycle/index.ts';
import type { Snapshot, VmSnapshot } from '../simulator/index.ts';

/** A TD that `died` did so with the process that owned it. */
export type Fate = 'planned' | 'alive' | 'failed' | 'stopped' | 'lost' | 'died';

export interface Believed {
  readonly tds: readonly BelievedTd[];
  /** So many processes have /dev/kvm open. */
  readonly liveProcesses: number;
}

export interface BelievedTd {
  readonly name: string;
  readonly fate: Fate;
  /** Where its TDR is, once it has one. */
  readonly tdr: number | undefined;
  /** Of its chart; undefined where nobody says. */
  readonly state: TdStateId | undefined;
  /** The VM that the kernel has for it. */
  vmIn(vms: Snapshot['vms']): VmSnapshot | undefined;
}
