/**
 * Only the destination of a move takes these steps. Slots, sizes and order must be the source's, and
 * the private pages the very same. The addresses in this process may differ: RFC v2 of the move
 * compares guest addresses, sizes, flags and guest_memfds of the slots, and nothing else.
 */
import { withApicId } from '../../abi/kvm/cpuid.ts';
import type { GuestMemory, Vm } from '../../host/port.ts';
import { guestOf } from '../guest.ts';
import type { Interruption } from '../interruption.ts';
import type { Origin, TdSession } from '../session.ts';
import { memoryOf } from './memory.ts';

export async function setCpuid(session: TdSession, interruption: Interruption): Promise<void> {
  const { tdCpuid } = originOf(session);
  for (const vcpu of session.handles.get('vcpus')) {
    interruption.throwIfAborted();
    await vcpu.setCpuid2({ entries: withApicId(tdCpuid, vcpu.id) });
  }
  session.handles.set('tdCpuid', tdCpuid);
}

export async function mirrorMemory(session: TdSession, interruption: Interruption): Promise<void> {
  const { plan, handles, ledger } = session;
  const origin = originOf(session);
  const vm = handles.get('vm');
  const mirrored = handles.grow('guestMemory', () => new Map());
  for (const { slot, gpa, sizeBytes } of plan.layout.slots) {
    if (mirrored.has(slot)) continue;
    interruption.throwIfAborted();
    const memory = await shareMemory(session, { vm, memory: pagesOf(origin, slot) });
    ledger.hold({ what: 'guest_memfd', release: () => memory.close() });
    await vm.setUserMemoryRegion2({
      slot,
      gpa,
      sizeBytes,
      memory: memoryOf(handles, slot),
      memoryOffsetBytes: 0n,
      guestMemory: { memory, offsetBytes: 0n },
    });
    mirrored.set(slot, memory);
  }
  // Now and not in the blackout: a thread for each vCPU takes half a millisecond.
  await guestOf(session);
}

/**
 * Where no way to share is known, the same file is bound all the same, and the kernel answers for it.
 */
function shareMemory(
  { plan }: TdSession,
  { vm, memory }: { readonly vm: Vm; readonly memory: GuestMemory },
): Promise<GuestMemory> {
  const links = plan.facts.kernel.sharesGuestMemory === 'link';
  return links ? vm.linkGuestMemfd({ memory }) : vm.receiveGuestMemfd({ memory });
}

function pagesOf({ guestMemory }: Origin, slot: number): GuestMemory {
  const memory = guestMemory.get(slot);
  if (!memory) throw new Error(`the source has no guest_memfd for slot ${slot}`);
  return memory;
}

function originOf({ origin }: TdSession): Origin {
  if (!origin) throw new Error('this TD is no destination: nothing says where its pages come from');
  return origin;
}
