/**
 * Where a rehearsal plays: one machine and the processes on it. Each run gets a machine of its own, so
 * that nothing of one run is left to the next.
 */
import type { Host, Vm } from '../host/port.ts';
import { openSimulatedHost, type SimulatedHost } from '../host/simulated/index.ts';
import type { SoftHost } from '../host/soft/soft-host.ts';
import type {
  FaultInjector,
  HostProfile,
  KernelAbi,
  Snapshot,
  TraceListener,
} from '../simulator/index.ts';

export interface Stage {
  /** The first process on the machine: tdctl's own. */
  readonly host: Host;
  /** Makes another process; on a real machine it is the same one. */
  newProcess(cgroup: string): Host;
  /** Only a simulated machine tells and does this; undefined on a real one. */
  readonly simulated: SimulatedStage | undefined;
  close(): Promise<void>;
}

export interface SimulatedStage {
  readonly kernelAbi: KernelAbi;
  snapshot(): Snapshot;
  usedSlots(): number;
  /** The kernel's number of the VM behind a VM of the port; undefined once it is gone. */
  vmId(vm: Vm): number | undefined;
  onCall(listener: TraceListener): () => void;
  /** The address space of a process, by which a trace tells who asked. */
  mmOf(process: Host): number | undefined;
  /** A process dies, and all its files are closed. */
  kill(process: Host): void;
  setCgroupMax(limit: { readonly path: string; readonly max: number }): void;
  /** TDs of others take slots until only so many are free. */
  leaveSlots(free: number): void;
}

export interface StageOptions {
  /** `soft`: real VMs, in which guests run, beside a simulated TDX module. `sim` where it is left out. */
  readonly kind?: 'sim' | 'soft';
  readonly profile: string | HostProfile;
  readonly kernelAbi: string;
}

/** A process on a machine that is simulated, or whose TDX module is. */
type MachineProcess = SimulatedHost | SoftHost;

export async function openStage(
  { kind, ...place }: StageOptions,
  faults?: FaultInjector,
): Promise<Stage> {
  if (kind !== 'soft') return stageOf(openSimulatedHost({ ...place, faults }));
  // The addon is loaded by those alone who want it.
  const { openSoftHost } = await import('../host/soft/soft-host.ts');
  return stageOf(await openSoftHost({ ...place, faults }));
}

function stageOf(host: MachineProcess): Stage {
  const processes = new Set<Host>([host]);
  const isOfMachine = (process: Host): process is MachineProcess => processes.has(process);
  return {
    host,
    newProcess(cgroup) {
      const process = host.otherProcess({ mm: processes.size + 1, cgroup });
      processes.add(process);
      return process;
    },
    simulated: {
      kernelAbi: host.machine.kernelAbi,
      snapshot: () => host.snapshot(),
      usedSlots: () => host.machine.keySlots.used,
      vmId: (vm) => host.vmId(vm),
      onCall: (listener) => host.onCall(listener),
      mmOf: (process) => (isOfMachine(process) ? process.mm : undefined),
      kill(process) {
        if (isOfMachine(process)) process.exitProcess();
      },
      setCgroupMax: (limit) => host.machine.setCgroupMax(limit),
      leaveSlots(free) {
        const { total, used } = host.machine.keySlots;
        host.machine.changeForeignTds(total - used - free);
      },
    },
    async close() {
      for (const process of processes) await process.close();
    },
  };
}

/** A machine whose kernel cannot be looked into: one process does everything. */
export function realStage(host: Host): Stage {
  return {
    host,
    newProcess: () => host,
    simulated: undefined,
    close: () => host.close(),
  };
}
