/** These steps take a migration forward. Each asks one thing of one of the two TDs. */
import type { Asked, GivenBack } from '../../../machines/intra-host-migration/index.ts';
import { convertingRequest } from '../../host/facts.ts';
import { KvmError } from '../../host/kvm-error.ts';
import type { Vm } from '../../host/port.ts';
import type { Interruption } from '../interruption.ts';
import { makePrivate } from '../steps/conversion.ts';
import { canBeEntered } from '../steps/running.ts';
import { startTd, type TdRun } from '../td-run.ts';
import { ask, reach } from './ask.ts';
import { destinationOf, type MigrationSession } from './session.ts';

export async function prepareDestination(
  session: MigrationSession,
  { signal }: Interruption,
): Promise<void> {
  session.destination ??= startDestination(session);
  const { destination } = session;
  signal.addEventListener('abort', () => destination.stop(), { once: true });
  await reach(destination, 'receiving');
}

function startDestination(session: MigrationSession): TdRun {
  const { source, host, destinationPlan, now, onDestinationEvent } = session;
  const { aroundStep, tellsRequests } = session;
  const { handles } = source.session;
  return startTd({
    host,
    plan: destinationPlan,
    now,
    onEvent: onDestinationEvent,
    aroundStep,
    tellsRequests,
    console: source.session.console,
    origin: {
      tdCpuid: handles.get('tdCpuid'),
      slotMemory: handles.get('slotMemory'),
      guestMemory: handles.get('guestMemory'),
    },
  });
}

export function pauseSource({ source }: MigrationSession): Promise<void> {
  return ask(source, { event: { type: 'td.pause' }, leadsTo: 'paused' });
}

export function handOver({ source }: MigrationSession): Promise<void> {
  return ask(source, { event: { type: 'td.handOver' }, leadsTo: 'migratingOut' });
}

/**
 * This is the one ioctl that cannot be taken back. The chart of the source takes nothing down in the
 * meantime; the destination is told by its ledger to wait.
 */
export async function moveContext(session: MigrationSession): Promise<void> {
  const { handles, ledger } = destinationOf(session).session;
  if (handles.has('tdReceived')) return;
  const source = session.source.session.handles.get('vm');
  await ledger.track('moving', handles.get('vm').moveEncContextFrom({ source }));
  handles.set('tdReceived', true);
}

/** A dead VM answers EIO to everything, so any harmless request tells whether the source lives. */
export async function askSource({ source }: MigrationSession): Promise<Asked> {
  try {
    await source.session.handles.get('vm').checkExtension('KVM_CAP_MAX_VCPUS');
    return { hasTd: true };
  } catch (error) {
    if (!(error instanceof KvmError)) throw error;
    // EIO means that the source is dead. EBADF means that its fd is closed, so its process has gone. A
    // VM that has another reason to refuse lives: taking that for dead would give up a TD that is still
    // there.
    return { hasTd: error.code !== 'EIO' && error.code !== 'EBADF' };
  }
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
  destination.send({ type: 'td.arrived', mrtd: session.source.context.mrtd });
  await reach(destination, 'paused', 'running');
}

/**
 * RFC v2 moves the memory attributes twice and so empties them; on other kernels this changes
 * nothing. It may fail without harm: a guest page that is then shared for KVM ends KVM_RUN with
 * KVM_EXIT_MEMORY_FAULT, which says what to set, so the TD is not given up for it.
 */
export async function restoreMemory(session: MigrationSession): Promise<void> {
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

export async function retireSource({ source }: MigrationSession): Promise<GivenBack> {
  source.send({ type: 'td.moved' });
  source.stop();
  const { leftovers } = await source.ended;
  return { leftovers };
}
