/** The VM of another program on a shared host, by its grants. */
import type { GrantingHost } from '../../host/passing.ts';
import type { GuestMemory, UserMemory } from '../../host/port.ts';
import type { Granted } from './protocol.ts';
import type { SourceVm } from './source-vm.ts';

export async function grantedVm(host: GrantingHost, granted: Granted): Promise<SourceVm> {
  const guestMemory = new Map<number, GuestMemory>();
  const slotMemory = new Map<number, UserMemory>();
  const taken: { close(): Promise<void> }[] = [];
  const vm = await host.acceptVm(granted.vm);
  taken.push(vm);
  for (const { slot, ...tickets } of granted.slots) {
    const pages = await host.acceptGuestMemory(tickets.guestMemory);
    const memory = await host.acceptMemory(tickets.memory);
    taken.push(pages, memory);
    guestMemory.set(slot, pages);
    slotMemory.set(slot, memory);
  }
  return {
    origin: { tdCpuid: granted.tdCpuid, guestMemory, slotMemory },
    vm,
    // A VM answers nobody but its maker.
    hasTd: async () => true,
    moved: () => vm.close(),
    async close() {
      for (const each of taken) await each.close();
    },
  };
}
