/** The effects of the chart: what is done with a VMM in each of its working states. */
import { setTimeout as delay } from 'node:timers/promises';
import type { VmmReleased, VmmSettled, Watched } from '../../../machines/vmm-td/index.ts';
import { errnoOf } from '../../errors/errno.ts';
import { TdctlError } from '../../errors/index.ts';
import { removeFile } from '../../files/private-directory.ts';
import type { Interruption } from '../../orchestrator/index.ts';
import { MonitorClosed, MonitorSilent } from '../qmp/index.ts';
import { endOf } from './end.ts';
import { usualMs, type VmmSession } from './session.ts';
import { errorOf, exitInWords } from './words.ts';

const SIGKILL = 9;
/** The TD is made in one command, and its firmware is measured page by page. */
const buildMs = 10 * 60_000;
const quitMs = 1000;
const quittingMs = 5000;
/** What a process holds is given back before it is gone; a large TD has much of it. */
const killedMs = 10 * 60_000;
const slotMs = 10_000;
const lookEveryMs = 10;

export async function launchVmm(session: VmmSession, interruption: Interruption): Promise<void> {
  await pauseAfterResets(session, interruption);
  await beginVmm(session, interruption);
}

/** A stop during the start has ended all that there was: nothing may begin after it. */
async function beginVmm(session: VmmSession, interruption: Interruption): Promise<void> {
  // What a life before has left is nobody's.
  clearSockets(session);
  await session.launch(() => interruption.throwIfAborted());
}

async function pauseAfterResets(session: VmmSession, interruption: Interruption): Promise<void> {
  const { pauseMs, inARow } = session.resets;
  if (pauseMs === 0) return;
  session.waitingFor = `${pauseMs / 1000} s to be over, after ${inARow} resets in a row`;
  session.publish({
    event: 'td.warning',
    message: `the guest has reset ${inARow} times in a row, each within a minute: the next TD is made in ${pauseMs / 1000} s; what it prints may say why (\`tdctl logs\`), and \`tdctl stop\` ends it`,
  });
  await delay(pauseMs, undefined, { signal: interruption.signal });
  session.waitingFor = undefined;
}

export async function connectVmm(session: VmmSession): Promise<void> {
  try {
    await session.connect();
    await session.connectConsole();
  } catch (error) {
    throw await inWords(session, error);
  }
}

/** One that was refused a key slot has ended, so a later try needs another. */
export async function buildTd(session: VmmSession, interruption: Interruption): Promise<void> {
  if (session.process?.exit !== undefined) {
    await beginVmm(session, interruption);
    await connectVmm(session);
  }
  session.slotsBefore = await session.options.keySlots();
  session.isBuilding = true;
  try {
    await session.ask('x-exit-preconfig', { deadlineMs: buildMs });
    const status = await session.status();
    if (status !== 'prelaunch') throw new Error(`its status is ${status} and not prelaunch`);
  } catch (error) {
    throw await inWords(session, error);
  }
  session.publish({ event: 'td.finalized', mrtd: null });
}

export async function enterVcpus(session: VmmSession): Promise<void> {
  await orWarn(session, 'resume the guest', () => session.ask('cont'));
  session.resets.entered(session.now());
}

export async function leaveVcpus(session: VmmSession): Promise<void> {
  await orWarn(session, 'pause the guest', () => session.ask('stop'));
}

/** A guest may end at this very moment, which the next state sees. */
async function orWarn(
  session: VmmSession,
  what: string,
  ask: () => Promise<unknown>,
): Promise<void> {
  try {
    await ask();
  } catch (error) {
    if (session.told !== undefined || session.process?.exit !== undefined) return;
    if (error instanceof MonitorClosed) await endedSoon(session);
    if (session.process?.exit !== undefined) return;
    const message = `QEMU did not ${what}: ${(error as Error).message}`;
    session.publish({ event: 'td.warning', message });
    throw notAnswering(`could not ${what}`, error);
  }
}

/** Resolves when the guest has ended by itself and has done what it was there for. */
export async function watchVmm(session: VmmSession, signal: AbortSignal): Promise<Watched> {
  const left = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([left, session.over]);
  if (signal.aborted) return { asksForReset: false };
  const end = endOf(session);
  if (end.asksForReset) session.resets.reset(session.now());
  return end;
}

/** So that its disks are whole. What it does not do in time, the next step does. */
export async function quitVmm(session: VmmSession): Promise<void> {
  const { process } = session;
  if (process === undefined || process.exit !== undefined) return;
  session.waitingFor = `the end of QEMU, process ${process.pid}`;
  if (session.told?.kind !== 'shutdown') {
    try {
      await session.ask('quit', { deadlineMs: quitMs });
    } catch (error) {
      if (!(error instanceof MonitorClosed)) throw notAnswering('could not be asked to end', error);
    }
  }
  await within(process.ended, quittingMs);
}

export async function settleStep({ isBuilding }: VmmSession): Promise<VmmSettled> {
  return { holdsKeySlot: isBuilding };
}

export async function killVmm(session: VmmSession): Promise<void> {
  const { process } = session;
  if (process === undefined || process.exit !== undefined) return;
  session.waitingFor = `the end of QEMU, process ${process.pid}, which was killed`;
  await process.signal(SIGKILL);
  if (await within(process.ended, killedMs)) return;
  throw new TdctlError({
    code: 'TDCTL_E_STUCK',
    op: 'end QEMU',
    message: `QEMU, process ${process.pid}, was killed and has not ended: the kernel is still at something for it`,
    hint: `\`cat /proc/${process.pid}/stack\` says at what; its key slot is taken until it is gone`,
  });
}

export async function releaseVmm(session: VmmSession): Promise<VmmReleased> {
  const { process, publish } = session;
  session.close();
  clearSockets(session);
  if (process !== undefined && process.exit === undefined) return { leftovers: [] };
  if (process !== undefined) {
    publish({ event: 'resource.released', what: `QEMU, process ${process.pid}` });
  }
  if (session.isBuilding) await seeSlotFree(session);
  session.waitingFor = undefined;
  session.isBuilding = false;
  return { leftovers: [] };
}

/**
 * The kernel has closed what a process held before the process is gone, so the slot is free unless somebody else has
 * an fd of the TD. Others take slots meanwhile, so what is counted is whether there are fewer, or one is free.
 */
async function seeSlotFree(session: VmmSession): Promise<void> {
  const { publish, slotsBefore } = session;
  session.waitingFor = 'the key slot';
  const begun = performance.now();
  for (;;) {
    const slots = await session.options.keySlots();
    // A host that does not count them has said all by the end of the process.
    if (slots === undefined) return;
    const isFree = slots.used < slots.total || slots.used <= (slotsBefore?.used ?? -1);
    if (isFree) return publish({ event: 'resource.released', what: 'key slot' });
    if (performance.now() - begun > slotMs) break;
    await delay(lookEveryMs);
  }
  publish({
    event: 'td.warning',
    message:
      'QEMU is gone, and all key slots of the host are still in use: others may have taken its slot since, or hold an fd of the TD (`tdctl host`)',
  });
}

function clearSockets({ options: { places } }: VmmSession): void {
  for (const path of [places.monitor, places.console]) {
    try {
      removeFile(path);
    } catch (error) {
      if (errnoOf(error) !== 'EROFS') throw error;
    }
  }
}

/** Of a VMM that has ended its last words say why. */
async function inWords(session: VmmSession, error: unknown): Promise<unknown> {
  if (error instanceof TdctlError) return error;
  if (error instanceof MonitorClosed) await endedSoon(session);
  const { process, stderr } = session;
  if (process?.exit !== undefined) return errorOf({ what: exitInWords(process.exit), stderr });
  if (error instanceof MonitorSilent || error instanceof MonitorClosed) {
    return notAnswering('is there, and cannot be spoken with', error);
  }
  return errorOf({ what: `QEMU has refused: ${(error as Error).message}`, stderr });
}

function endedSoon({ process }: VmmSession): Promise<boolean> {
  return process === undefined ? Promise.resolve(false) : within(process.ended, usualMs);
}

function notAnswering(what: string, cause: unknown): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_VMM',
    op: 'speak with QEMU',
    message: `QEMU ${what}: ${(cause as Error).message}`,
    hint: 'a process that a signal has stopped (state T of `ps`) goes on with `kill -CONT`; `tdctl stop` ends it whatever it does',
    cause,
  });
}

/** @returns whether it came in time. */
async function within(ended: Promise<unknown>, ms: number): Promise<boolean> {
  const late = new AbortController();
  const isLate = delay(ms, false, { signal: late.signal }).catch(() => false);
  const isThere = ended.then(
    () => true,
    () => true,
  );
  try {
    return await Promise.race([isThere, isLate]);
  } finally {
    late.abort();
  }
}
