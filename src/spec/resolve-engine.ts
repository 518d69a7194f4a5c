/** Fills in what a file leaves out about an engine with devices. */
import { resolve } from 'node:path';
import type { Disk, Engine, Network, NetworkBackend } from './engine.ts';
import type { TrustDomainFile } from './schema.ts';

type Spec = TrustDomainFile['spec'];
type DiskEntry = NonNullable<Spec['disks']>[number];
type NetworkEntry = NonNullable<Spec['networks']>[number];

const defaultBinary = 'qemu-system-x86_64';

export function resolveEngine(spec: Spec, directory: string): Engine {
  if (spec.engine === 'builtin') return { kind: 'builtin' };
  const { qemu = {}, disks = [], networks = [], devices = [] } = spec;
  return {
    kind: 'qemu',
    binary: resolveBinary(qemu.binary ?? defaultBinary, directory),
    extraArgs: qemu.extraArgs ?? [],
    disks: disks.map((disk) => resolveDisk(disk, directory)),
    networks: networks.map((network) => resolveNetwork(network, directory)),
    vsock: spec.vsock,
    devices,
    console: resolveConsole(spec.console, directory),
    onReboot: spec.onReboot ?? 'restart',
    onPanic: spec.onPanic ?? 'stop',
  };
}

/** A word without a slash is looked for in PATH, as a shell does. */
function resolveBinary(binary: string, directory: string): string {
  return binary.includes('/') ? resolve(directory, binary) : binary;
}

function resolveDisk(disk: DiskEntry, directory: string): Disk {
  const { path, format = 'raw', readOnly = false, discard = false, aio = 'threads' } = disk;
  const { serial } = disk;
  const resolved = { path: resolve(directory, path), format, readOnly, discard, aio };
  return { ...resolved, ...(serial !== undefined && { serial }) };
}

function resolveNetwork(network: NetworkEntry, directory: string): Network {
  const { mac, queues = 1 } = network;
  const backend = resolveBackend(network, directory);
  return { backend, queues, ...(mac !== undefined && { mac: mac.toLowerCase() }) };
}

function resolveBackend(
  { user, tap, bridge, vhostUser }: NetworkEntry,
  directory: string,
): NetworkBackend {
  if (user !== undefined) return { kind: 'user', forwards: user.forward ?? [] };
  if (tap !== undefined) return { kind: 'tap', interface: tap };
  if (bridge !== undefined) return { kind: 'bridge', bridge };
  if (vhostUser !== undefined) {
    return { kind: 'vhostUser', socketPath: resolve(directory, vhostUser) };
  }
  throw new Error('a check sees to it that a network has one backend');
}

function resolveConsole(console: Spec['console'], directory: string) {
  if (console === undefined || console === 'stdio') return {};
  const { log, socket } = console;
  return {
    ...(log !== undefined && { logPath: resolve(directory, log) }),
    ...(socket !== undefined && { socketPath: resolve(directory, socket) }),
  };
}
