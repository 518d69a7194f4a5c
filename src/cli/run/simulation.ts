/** What a run can have on simulated hosts only: faults, and a trace of every call. */
import type { Host } from '../../host/port.ts';
import type { RecordedFaults } from '../../simulator/index.ts';
import type { TraceFileOptions, TraceHeader } from '../../trace/index.ts';
import type { CommandIo } from '../io.ts';
import { canBeTraced, type HostChoice, requireSimulatedHost } from '../open-host.ts';
import { say } from '../output/print.ts';
import type { TraceFile } from './trace-file.ts';

export interface SimulationOptions {
  /** As given to `--fault`. */
  readonly fault?: readonly string[] | undefined;
  /** As given to `--trace`. */
  readonly trace?: string | undefined;
}

/** @throws TdctlError TDCTL_E_USAGE for a fault that cannot be, or where the host may be real. */
export async function readSimulation(
  { host }: HostChoice,
  { fault = [], trace }: SimulationOptions,
): Promise<RecordedFaults | undefined> {
  if (trace !== undefined) requireSimulatedHost(host, '--trace');
  if (fault.length === 0) return undefined;
  requireSimulatedHost(host, '--fault');
  const { readFault } = await import('./fault.ts');
  const { injectorOf } = await import('../../simulator/index.ts');
  return injectorOf(fault.map(readFault));
}

/** The faults that never came, as `--fault` takes them. */
export async function unmetFaults(faults: RecordedFaults | undefined): Promise<readonly string[]> {
  const unmet = faults?.unmet() ?? [];
  if (unmet.length === 0) return [];
  const { formatFault } = await import('../../simulator/index.ts');
  return unmet.map(formatFault);
}

/** For a command that ends otherwise than well already: its own end is the one that counts. */
export function noteUnmet(faults: readonly string[], io: CommandIo): void {
  for (const fault of faults) {
    say(io, `note: the run never came to --fault ${fault}`);
  }
}

interface TraceOptions extends Omit<TraceFileOptions, 'path'> {
  /** As given to `--trace`. */
  readonly path: string | undefined;
  readonly header: TraceHeader;
}

/** @throws TdctlError TDCTL_E_NOT_WRITABLE, TDCTL_E_BUSY; the host is closed then. */
export async function startTrace(
  host: Host,
  { path, ...options }: TraceOptions,
): Promise<TraceFile | undefined> {
  if (path === undefined || !canBeTraced(host)) return undefined;
  const { openTraceFile } = await import('./trace-file.ts');
  try {
    return await openTraceFile(host, { path, ...options });
  } catch (error) {
    await host.close();
    throw error;
  }
}
