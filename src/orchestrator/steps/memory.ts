/** These steps make the memory slots, their attributes, and the pages that the firmware starts from. */
import type { GuestMemory, Vm } from '../../host/port.ts';
import type { InitialPages, MemorySlot, TdPlan } from '../../plan/index.ts';
import type { Interruption } from '../interruption.ts';
import type { TdSession } from '../session.ts';
import { makePrivate } from './conversion.ts';

export async function addMemory(session: TdSession, interruption: Interruption): Promise<void> {
  const { plan, handles } = session;
  const vm = handles.get('vm');
  const guestMemory = handles.grow('guestMemory', () => new Map());
  for (const slot of plan.layout.slots) {
    if (guestMemory.has(slot.slot)) continue;
    interruption.throwIfAborted();
    guestMemory.set(slot.slot, await setSlot(session, { vm, slot }));
  }

  const total = plan.layout.initialPages.reduce((sum, { pages }) => sum + pages, 0);
  let done = 0;
  const added = handles.grow('addedPages', () => new Set());
  for (const initial of plan.layout.initialPages) {
    interruption.throwIfAborted();
    if (!added.has(initial)) await addPages(session, { initial, interruption, done, total });
    added.add(initial);
    done += initial.pages;
  }
  if (plan.boot !== undefined) await placeKernel(session, plan.boot);
}

/** After the pages of the firmware, from which the TD is measured: in a plain VM a kernel takes its place. */
async function placeKernel(
  { plan, handles }: TdSession,
  { writes, registers }: NonNullable<TdPlan['boot']>,
): Promise<void> {
  for (const { gpa, bytes } of writes) {
    const slot = plan.layout.slots.find(
      (each) => gpa >= each.gpa && gpa + BigInt(bytes.length) <= each.gpa + each.sizeBytes,
    );
    if (!slot) throw new Error(`the plan puts a part of the kernel at 0x${gpa.toString(16)}`);
    memoryOf(handles, slot.slot).write({ offsetBytes: gpa - slot.gpa, bytes });
  }
  await handles.get('vm').startKernel({ vcpus: handles.get('vcpus'), registers });
}

/**
 * Gives one slot its shared and its private backing, and makes all of it private, as firmware expects
 * its memory.
 */
async function setSlot(
  { ledger, handles, plan }: TdSession,
  { vm, slot }: { vm: Vm; slot: MemorySlot },
): Promise<GuestMemory> {
  const { gpa, sizeBytes } = slot;
  const guestMemory = await vm.createGuestMemfd({ sizeBytes });
  ledger.hold({ what: 'guest_memfd', release: () => guestMemory.close() });
  await vm.setUserMemoryRegion2({
    slot: slot.slot,
    gpa,
    sizeBytes,
    memory: memoryOf(handles, slot.slot),
    memoryOffsetBytes: 0n,
    guestMemory: { memory: guestMemory, offsetBytes: 0n },
  });
  await makePrivate(plan.facts.kernel, { vm, gpa, sizeBytes, guestMemory });
  return guestMemory;
}

async function addPages(
  { plan, handles, publish }: TdSession,
  { initial, interruption, done, total }: Adding,
): Promise<void> {
  const [firstVcpu] = handles.get('vcpus');
  if (!firstVcpu) throw new Error('a TD has at least one vCPU');
  const slot = plan.layout.slots.find((candidate) => candidate.slot === initial.slot);
  if (!slot) throw new Error(`the plan has no memory slot ${initial.slot}`);

  const source = memoryOf(handles, initial.slot);
  const sourceOffsetBytes = initial.gpa - slot.gpa;
  source.write({ offsetBytes: sourceOffsetBytes, bytes: initial.bytes });
  // Any vCPU will do: INIT_MEM_REGION is a vCPU request only because it needs an MMU context.
  await firstVcpu.tdxInitMemRegion({
    source,
    sourceOffsetBytes,
    gpa: initial.gpa,
    pages: initial.pages,
    measure: initial.measured,
    signal: interruption.signal,
    onProgress: (pagesDone) =>
      publish({
        event: 'step.progress',
        step: 'addingMemory',
        done: done + pagesDone,
        total,
        unit: 'pages',
      }),
  });
}

interface Adding {
  readonly initial: InitialPages;
  readonly interruption: Interruption;
  readonly done: number;
  readonly total: number;
}

export function memoryOf(handles: TdSession['handles'], slot: number) {
  const memory = handles.get('slotMemory').get(slot);
  if (!memory) throw new Error(`no memory was mapped for slot ${slot}`);
  return memory;
}
