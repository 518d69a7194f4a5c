/** Finds the QEMU of a TD whose keeper has died, and takes its monitor over. Nothing is changed where that fails. */
import type { FoundVmm } from '../../../machines/vmm-td/index.ts';
import { TdctlError } from '../../errors/index.ts';
import { openMonitor, type QmpEvent } from '../../vmm/qmp/index.ts';
import { findProcess, type VmmRunOptions } from '../../vmm/run/index.ts';
import type { VmmIdentity } from '../identity.ts';
import { canAct } from '../presence.ts';
import { readStatus } from '../status-file.ts';
import type { TdFiles } from '../td-files.ts';

/** A QEMU that a signal has stopped takes the connection, and says nothing. */
const answerMs = 10_000;

export type AttachedVmm = NonNullable<VmmRunOptions['attached']> &
  Pick<VmmIdentity, 'uuid' | 'vsockCid'>;

/**
 * It is the one if its number, its start time, the boot and the PID namespace are those that were written down, while a
 * pidfd holds it, and it says the uuid of that life itself.
 *
 * @throws TdctlError TDCTL_E_CONFLICT where there is no such process, TDCTL_E_NOT_ANSWERING.
 */
export async function attachToVmm(name: string, files: TdFiles): Promise<AttachedVmm> {
  const status = readStatus(files.status);
  const vmm = status.kind === 'read' ? status.file.td?.vmm : undefined;
  if (vmm === undefined) throw notThere(name, 'no QEMU of it is written down');
  const isSame = () => canAct(vmm);
  const process = await findProcess(vmm.pid, isSame);
  if (process === undefined) throw notThere(name, `its QEMU, process ${vmm.pid}, is gone`);
  const early: QmpEvent[] = [];
  let hear: (event: QmpEvent) => void = (event) => early.push(event);
  try {
    const monitor = await openMonitor({
      ...{ path: files.monitor, deadlineMs: answerMs },
      onEvent: (event) => hear(event),
    });
    try {
      const found = await look(monitor, vmm);
      const hearsBy = (listener: (event: QmpEvent) => void) => {
        hear = listener;
        for (const event of early.splice(0)) listener(event);
      };
      return { process, monitor, hearsBy, found, uuid: vmm.uuid, vsockCid: vmm.vsockCid };
    } catch (error) {
      monitor.close();
      throw error;
    }
  } catch (cause) {
    throw notAnswering(name, vmm, cause);
  }
}

interface Asking {
  execute(command: string, asked: { readonly deadlineMs: number }): Promise<unknown>;
}

async function look(monitor: Asking, { uuid }: VmmIdentity): Promise<FoundVmm> {
  const ask = async (command: string) =>
    (await monitor.execute(command, { deadlineMs: answerMs })) as Readonly<Record<string, unknown>>;
  const said = (await ask('query-uuid')).UUID;
  if (said !== uuid) throw new Error(`it says that its uuid is ${said}, and not ${uuid}`);
  const { status } = await ask('query-status');
  if (status !== 'prelaunch') return foundBy[String(status)] ?? 'ending';
  // It says the same before it has made its machine. This command it takes in one of the two alone.
  return (await ask('query-cpus-fast').catch(() => undefined)) === undefined ? 'unbuilt' : 'built';
}

/** By RunState of qapi/run-state.json. */
const foundBy: Readonly<Record<string, FoundVmm>> = {
  running: 'running',
  paused: 'paused',
  'io-error': 'paused',
  suspended: 'paused',
};

function notThere(name: string, why: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_CONFLICT',
    op: 'go on with a TD',
    message: `TD ${name} cannot be gone on with: ${why}`,
    hint: `\`tdctl show ${name}\` says what is left of it`,
  });
}

function notAnswering(name: string, { pid }: VmmIdentity, cause: unknown): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_NOT_ANSWERING',
    op: 'go on with a TD',
    message: `the QEMU of ${name}, process ${pid}, is there, and cannot be spoken with: ${(cause as Error).message}; nothing was changed`,
    hint: `one that a signal has stopped (state T of \`ps\`) goes on with \`kill -CONT ${pid}\`; \`tdctl kill ${name}\` ends it whatever it does`,
    cause,
  });
}
