/** What a host is asked for by the rehearsal that has started it for itself (src/dress-rehearsal). */
import { awaitWord, type Operations } from '../../host/shared/index.ts';
import type { Disturbance, HostSeen, SlotsUsed } from '../../keeper/hosts/operations.ts';
import type { SimulatedMachine } from '../../simulator/index.ts';

export interface Rehearsed {
  readonly machine: SimulatedMachine;
  readonly programs: () => HostSeen['programs'];
  readonly faultsToCome: () => readonly string[];
  /** Whether it was started for one: then it ends where nobody comes to attend it, as that was killed before. */
  readonly isAwaited: boolean;
  readonly end: (why: string) => void;
}

export function rehearsalOperations({
  machine,
  programs,
  faultsToCome,
  isAwaited,
  end,
}: Rehearsed): Operations {
  const hasCome = isAwaited
    ? awaitWord(() => end('nobody has come for whom it was started'))
    : () => undefined;
  const slots: SlotsUsed[] = [];
  const sample = () => {
    const { used } = machine.keySlots;
    if (slots.at(-1)?.used !== used) slots.push({ nowNs: machine.nowNs, used });
  };
  return {
    snapshot: (): HostSeen => ({
      snapshot: machine.snapshot(),
      programs: programs().map(({ process, pid, calls }) => ({ process, pid, calls })),
      slots,
      faultsToCome: faultsToCome(),
    }),
    disturb(arg) {
      const { slotsLeft, cgroup } = arg as Disturbance;
      const { total, used } = machine.keySlots;
      if (slotsLeft !== undefined) machine.changeForeignTds(total - used - slotsLeft);
      if (cgroup !== undefined) machine.setCgroupMax(cgroup);
      sample();
    },
    /** The host ends with whoever asks this, however that ends. */
    attend(_arg, { signal }) {
      hasCome();
      sample();
      const quiet = machine.listen(({ kind }) => {
        if (kind !== 'seamcall') sample();
      });
      return new Promise<void>((resolve) => {
        const over = () => {
          quiet();
          end('the rehearsal that it was started for is over');
          resolve();
        };
        if (signal.aborted) over();
        signal.addEventListener('abort', over, { once: true });
      });
    },
  };
}
