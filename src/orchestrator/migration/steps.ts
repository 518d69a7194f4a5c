/** These steps take a migration forward. Each asks one thing of one of the two TDs. */
import type { Asked, GivenBack } from '../../../machines/intra-host-migration/index.ts';
import { convertingRequest } from '../../host/facts.ts';
import { KvmError } from '../../host/kvm-error.ts';
import type { Vm } from '../../host/port.ts';
import { guestOf } from '../guest.ts';
import type { Interruption } from '../interruption.ts';
import { makePrivate } from '../steps/conversion.ts';
import { canBeEntered } from '../steps/running.ts';
import type { TdRun } from '../td-run.ts';
import { ask, reach } from './ask.ts';
import { Crossing } from './crossing.ts';
import { destinationOf, type MigrationSession } from './session.ts';
import { takePacked } from './state.ts';

export async function prepareDestination(
  session: MigrationSession,
  { signal }: Interruption,
): Promise<void> {
  session.destination ??= await startDestination(session);
  const { destination } = session;
  signal.addEventListener('abort', () => destination.stop(), { once: true });
  await reach(destination, 'receiving');
  await warmGuest(destination);
}

/**
 * Its threads are there before the source stands still, and what writes its state later has run once by then: with the
 * state that it has, which stays the same by it.
 */
async function warmGuest({ session }: TdRun): Promise<void> {
  const guest = await guestOf(session);
  const { takePacked } = guest;
  for (let at = 0; at < warmRounds && takePacked !== undefined; at += 1) {
    const nothing = () => {};
    await new Crossing().go({
      writingState: () => guest.pause(takePacked),
      ...{ moving: nothing, restoringMemory: nothing, enteringDestination: nothing },
    });
  }
  const state = await guest.getState();
  if (Object.keys(state).length > 0) await guest.setState(state);
}

const warmRounds = 3;

async function startDestination(session: MigrationSession): Promise<TdRun> {
  const { source, host, destinationPlan, now, onDestinationEvent } = session;
  const { aroundStep, tellsRequests } = session;
  return session.startTd({
    host,
    plan: destinationPlan,
    now,
    onEvent: onDestinationEvent,
    aroundStep,
    tellsRequests,
    console: source.console,
    origin: await source.origin(),
  });
}

/** What comes back with the rest is taken on at once: the guest stands still for no longer than that takes. */
export async function pauseSource(
  session: MigrationSession,
  interruption: Interruption,
): Promise<void> {
  const { packed } = (await session.source.pause()) ?? {};
  if (packed === undefined || interruption.aborted) return;
  const destination = destinationOf(session).session;
  const guest = destination.handles.get('guest');
  session.crossing = new Crossing();
  await session.crossing.go({
    writingState: () => takePacked(guest, packed),
    moving: () => session.aroundStep('moving', () => moveContext(session)),
    restoringMemory: () => restoreMemory(session),
    // Whether they are in, the chart is told when it comes to that.
    enteringDestination: () =>
      new Promise<void>((letIn) => {
        destination.entering = guest.run(letIn);
        destination.entering.then(letIn, letIn);
      }),
  });
}

export function handOver({ source }: MigrationSession): Promise<void> {
  return source.handOver();
}

/**
 * This is the one ioctl that cannot be taken back. The chart of the source takes nothing down in the
 * meantime; the destination is told by its ledger to wait.
 */
export async function moveContext(session: MigrationSession): Promise<void> {
  const { handles, ledger } = destinationOf(session).session;
  if (session.crossing?.hasDone('moving') || handles.has('tdReceived')) return;
  const source = await session.source.vm();
  await ledger.track('moving', handles.get('vm').moveEncContextFrom({ source }));
  handles.set('tdReceived', true);
  session.source.moved();
}

export function askSource({ source }: MigrationSession): Promise<Asked> {
  return source.hasTd();
}

/** The destination has the TD if its vCPUs can be entered. */
export async function askDestination(session: MigrationSession): Promise<Asked> {
  const destination = destinationOf(session).session;
  if (!destination.handles.has('vcpus')) return { hasTd: false };
  return { hasTd: await canBeEntered(destination) };
}

/** The destination has the TD from now on, whether it runs or not. */
export async function arrive(session: MigrationSession): Promise<void> {
  const destination = destinationOf(session);
  destination.send({
    type: 'td.arrived',
    mrtd: session.source.mrtd,
    hasRun: session.source.hasRun,
  });
  await reach(destination, 'paused', 'runnable', 'running');
}

/**
 * RFC v2 moves the memory attributes twice and so empties them; on other kernels this changes
 * nothing. It may fail without harm: a guest page that is then shared for KVM ends KVM_RUN with
 * KVM_EXIT_MEMORY_FAULT, which says what to set, so the TD is not given up for it.
 */
export async function restoreMemory(session: MigrationSession): Promise<void> {
  if (session.crossing?.hasDone('restoringMemory')) return;
  const { handles, plan } = destinationOf(session).session;
  const vm: Vm = handles.get('vm');
  const { kernel } = plan.facts;
  for (const { slot, gpa, sizeBytes } of plan.layout.slots) {
    const guestMemory = handles.get('guestMemory').get(slot);
    if (guestMemory === undefined) throw new Error(`no guest_memfd was mirrored for slot ${slot}`);
    try {
      await makePrivate(kernel, { vm, gpa, sizeBytes, guestMemory });
    } catch (error) {
      if (!(error instanceof KvmError)) throw error;
      session.publish({
        event: 'migration.warning',
        message: `${convertingRequest(kernel)} answered ${error.code}: the memory at 0x${gpa.toString(16)} may be shared for KVM`,
      });
    }
  }
}

export function enterDestination(session: MigrationSession): Promise<void> {
  return ask(destinationOf(session), { event: { type: 'td.resume' }, leadsTo: 'running' });
}

export function retireSource({ source }: MigrationSession): Promise<GivenBack> {
  return source.retire();
}
