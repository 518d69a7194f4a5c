/**
 * A TD runs by KVM_RUN on every vCPU at once. Where the host runs no guests, it counts as running
 * without being entered.
 */
import { setMaxListeners } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { TdctlError } from '../../errors/index.ts';
import { KvmError } from '../../host/kvm-error.ts';
import type { Vcpu } from '../../host/port.ts';
import type { TdSession } from '../session.ts';
import type { VcpuOut, VcpuRuns } from '../vcpu-runs.ts';

export async function enterVcpus(session: TdSession): Promise<void> {
  if (session.runs !== undefined) return;
  const runs = enterAll(session.handles.get('vcpus'));
  session.runs = runs;
  session.skipped = runs.exits.length === 0;
  const refused = await firstRefused(runs);
  if (refused === undefined) return;
  await leaveVcpus(session);
  throw refusalOf(refused, session);
}

/** Resolves when a vCPU comes out by itself because its guest is done. */
export async function watchVcpus(session: TdSession, signal: AbortSignal): Promise<void> {
  const stopped = new Promise<VcpuOut>((resolve) => {
    signal.addEventListener('abort', () => resolve({ how: 'left' }), { once: true });
  });
  const out = await Promise.race([stopped, ...(session.runs?.exits ?? [])]);
  if (isRefused(out)) throw refusalOf(out, session);
}

export async function leaveVcpus(session: TdSession): Promise<void> {
  const { runs } = session;
  if (runs === undefined) return;
  runs.leaving.abort();
  await Promise.all(runs.exits);
  session.runs = undefined;
}

/** Tells whether KVM_RUN lets this vCPU in. The vCPU is told to leave at once. */
export async function canEnter(vcpu: Vcpu): Promise<boolean> {
  const runs = enterAll([vcpu]);
  const refused = await firstRefused(runs);
  runs.leaving.abort();
  await Promise.all(runs.exits);
  return runs.exits.length > 0 && refused === undefined;
}

function enterAll(vcpus: readonly Vcpu[]): VcpuRuns {
  const leaving = new AbortController();
  // The signal has one listener for each vCPU on purpose, so Node must not warn of a leak.
  setMaxListeners(0, leaving.signal);
  const exits = vcpus.flatMap((vcpu) => (vcpu.run ? [stayIn(vcpu, leaving.signal)] : []));
  return { leaving, exits };
}

/** The vCPU is entered again after a signal that was not ours. */
async function stayIn(vcpu: Vcpu, signal: AbortSignal): Promise<VcpuOut> {
  for (;;) {
    try {
      const reason = await vcpu.run?.({ signal });
      return reason === undefined ? { how: 'left' } : { how: 'exited', reason };
    } catch (error) {
      if (signal.aborted) return { how: 'left' };
      if (!(error instanceof KvmError && error.code === 'EINTR')) return { how: 'refused', error };
    }
    await nextTurn();
  }
}

/**
 * The kernel refuses at once, so a vCPU that is still in after a turn of the event loop has entered.
 */
async function firstRefused({ exits }: VcpuRuns): Promise<VcpuOut | undefined> {
  const stillIn = nextTurn().then((): VcpuOut => ({ how: 'left' }));
  const outs = await Promise.all(exits.map((exit) => Promise.race([exit, stillIn])));
  return outs.find(isRefused);
}

/** KVM_RUN succeeds with an internal error where TDH.VP.ENTER is refused: tdx_handle_exit(). */
function isRefused(out: VcpuOut): boolean {
  return (
    out.how === 'refused' || (out.how === 'exited' && out.reason === 'KVM_EXIT_INTERNAL_ERROR')
  );
}

function refusalOf(out: VcpuOut, { plan }: TdSession): unknown {
  if (out.how === 'refused') return out.error;
  const isReal = plan.facts.kind === 'kvm';
  return new TdctlError({
    code: 'TDCTL_E_IOCTL',
    op: 'enter a vCPU',
    message: 'KVM_RUN ended with KVM_EXIT_INTERNAL_ERROR: the TDX module refused TDH.VP.ENTER',
    hint: isReal
      ? 'the TD cannot run any more; the status of the leaf is in the kernel log (`tdctl explain`)'
      : 'the TD cannot run any more; `--trace FILE` shows the status of the leaf',
  });
}
