/** A shared host in this process, on a socket of its own: programs of this process and of others join it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import {
  LaterFaults,
  openSharedHost,
  type SharedHost,
  type SharedHostOptions,
  SharedMachine,
  type SharedMachineOptions,
} from '../../../src/host/shared/index.ts';
import { openSimulatedMachine } from '../../../src/host/simulated/index.ts';
import type { HostProfile, SimulatedMachine } from '../../../src/simulator/index.ts';

export interface Served {
  readonly path: string;
  readonly machine: SimulatedMachine;
  readonly shared: SharedMachine;
  readonly faults: LaterFaults;
  join(options?: SharedHostOptions): Promise<SharedHost>;
  /** Resolves once as many programs are there. */
  programs(count: number): Promise<void>;
  stop(): Promise<void>;
}

export interface ServedOptions extends Partial<SharedMachineOptions> {
  readonly profile?: string | HostProfile;
  readonly kernelAbi?: string;
}

export async function serve(options: ServedOptions = {}): Promise<Served> {
  const { profile, kernelAbi, ...others } = options;
  const faults = new LaterFaults();
  const machine = openSimulatedMachine({ profile, kernelAbi, faults });
  const directory = mkdtempSync(join(tmpdir(), 'tdctl-shared-'));
  const path = join(directory, 'kvm.sock');
  let changed = () => {};
  const shared = new SharedMachine({
    machine,
    tdctl: 'test',
    onJoined: () => changed(),
    onLeft: () => changed(),
    ...others,
  });
  const server = createServer((socket) => shared.take(socket));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const stop = async () => {
    shared.end('the test is over');
    await new Promise<void>((resolve) => server.close(() => resolve()));
    rmSync(directory, { recursive: true, force: true });
  };
  onTestFinished(stop);
  return {
    ...{ path, machine, shared, faults, stop },
    join: (joining) => openSharedHost(path, joining),
    programs: (count) =>
      new Promise((resolve) => {
        changed = () => {
          if (shared.programs().length === count) resolve();
        };
        changed();
      }),
  };
}
