/** The steps of a migration, forward. Each is a few requests to the two TDs. */
import type { GivenBack, OwnerFound } from '../../../machines/intra-host-migration/index.ts';
import type { StepError, TdOutput } from '../../../machines/td-lifecycle/index.ts';
import { KvmError } from '../../host/kvm-error.ts';
import type { Vm } from '../../host/port.ts';
import { canEnter } from '../steps/running.ts';
import { startTd, type TdRun, type TdState } from '../td-run.ts';
import { destinationOf, type MigrationSession } from './session.ts';

export async function prepareDestination(
  session: MigrationSession,
  signal: AbortSignal,
): Promise<void> {
  session.destination ??= startDestination(session);
  const { destination } = session;
  signal.addEventListener('abort', () => destination.stop(), { once: true });
  await reachOrThrow(destination, 'receiving');
}

function startDestination(session: MigrationSession): TdRun {
  const { source, host, destinationPlan, now, onDestinationEvent, aroundStep } = session;
  const { handles } = source.session;
  return startTd({
    host,
    plan: destinationPlan,
    now,
    onEvent: onDestinationEvent,
    aroundStep,
    origin: { tdCpuid: handles.get('tdCpuid'), guestMemory: handles.get('guestMemory') },
  });
}

export async function quiesceSource({ source, wasRunning }: MigrationSession): Promise<void> {
  if (source.state === 'running' && wasRunning) {
    source.send({ type: 'td.pause' });
    await reachOrThrow(source, 'paused');
  }
  source.send({ type: 'td.handOver' });
  await reachOrThrow(source, 'migratingOut');
}

/** The one ioctl that cannot be taken back. */
export async function moveContext(session: MigrationSession): Promise<void> {
  if (session.moved) return;
  const { source } = session;
  const vm = destinationOf(session).session.handles.get('vm');
  await vm.moveEncContextFrom({ source: source.session.handles.get('vm') });
  session.moved = true;
}

/**
 * A dead VM answers EIO to everything, so any harmless request tells whether the source lives. The
 * destination has the TD if a vCPU of it can be entered; where the host enters none, the
 * posted code says it: a move that failed after it killed the source leaves nothing that runs.
 */
export async function findOwner(session: MigrationSession): Promise<OwnerFound> {
  if (await isAlive(session.source)) return { owner: 'source' };
  const { handles } = destinationOf(session).session;
  const [vcpu] = handles.has('vcpus') ? handles.get('vcpus') : [];
  const enters = vcpu !== undefined && (await canEnter(vcpu));
  return { owner: enters ? 'destination' : 'nobody' };
}

export async function isAlive({ session }: TdRun): Promise<boolean> {
  try {
    await session.handles.get('vm').checkExtension('KVM_CAP_MAX_VCPUS');
    return true;
  } catch (error) {
    if (!(error instanceof KvmError)) throw error;
    // EIO: dead. EBADF: its fd is closed, so its process has gone. A VM that has another reason to
    // refuse lives: taking that for dead would give up a TD that is still there.
    return error.code !== 'EIO' && error.code !== 'EBADF';
  }
}

export async function resumeDestination(session: MigrationSession): Promise<void> {
  const destination = destinationOf(session);
  if (destination.state === 'running') return;
  await makePrivateAgain(session, destination);
  arrive(session);
  if (!session.wasRunning) return;
  destination.send({ type: 'td.resume' });
  await reachOrThrow(destination, 'running');
}

/** The destination has the TD from now on, whether it runs or not. */
function arrive(session: MigrationSession): void {
  const destination = destinationOf(session);
  destination.session.handles.set('keySlot', true);
  destination.send({ type: 'td.arrived', mrtd: session.source.context.mrtd });
}

/**
 * RFC v2 moves the memory attributes twice and so empties them; on other kernels this changes
 * nothing. It may fail without harm: a guest page that is then shared for KVM ends KVM_RUN with
 * KVM_EXIT_MEMORY_FAULT, which says what to set, so the TD is not given up for it.
 */
async function makePrivateAgain(session: MigrationSession, destination: TdRun): Promise<void> {
  const { handles, plan } = destination.session;
  const vm: Vm = handles.get('vm');
  for (const { gpa, sizeBytes } of plan.layout.slots) {
    try {
      await vm.setMemoryAttributes({ gpa, sizeBytes, isPrivate: true });
    } catch (error) {
      if (!(error instanceof KvmError)) throw error;
      session.publish({
        event: 'migration.warning',
        message: `KVM_SET_MEMORY_ATTRIBUTES answered ${error.code}: the memory at 0x${gpa.toString(16)} may be shared for KVM`,
      });
    }
  }
}

export async function retireSource(session: MigrationSession): Promise<GivenBack> {
  const { source } = session;
  // Where resuming failed before it got that far.
  arrive(session);
  source.send({ type: 'td.moved' });
  source.stop();
  const { leftovers } = await source.ended;
  return { leftovers };
}

export class TdEndedError extends Error {
  readonly stepError: StepError;

  constructor(stepError: StepError) {
    super(`the TD has ended: ${stepError.step}`);
    this.stepError = stepError;
  }
}

/** @throws TdEndedError with the reason, where the TD ends instead. */
async function reachOrThrow(td: TdRun, state: TdState): Promise<void> {
  if (await td.reaches(state)) return;
  throw new TdEndedError(reasonOf(await td.ended));
}

function reasonOf({ error, leftovers, name }: TdOutput): StepError {
  const [leftover] = leftovers;
  return (
    error ??
    leftover ?? {
      step: 'stopped',
      code: 'TDCTL_E_INTERRUPTED',
      message: `the TD ${name} was stopped meanwhile`,
    }
  );
}
