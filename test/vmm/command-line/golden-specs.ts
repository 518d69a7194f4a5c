/** TDs of each kind, and the command that each is to have. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseTrustDomain } from '../../../src/spec/index.ts';
import type { TrustDomain } from '../../../src/spec/trust-domain.ts';
import type { DiskLayer, VmmPlan } from '../../../src/vmm/command-line/index.ts';

const directory = join(import.meta.dirname, '../../golden/vmm');

export const goldenNames = readdirSync(directory).flatMap((name) =>
  name.endsWith('.yaml') ? [name.replace('.yaml', '')] : [],
);

export function goldenSpec(name: string, home: string): TrustDomain {
  const text = readFileSync(join(directory, `${name}.yaml`), 'utf8');
  return parseTrustDomain(text, { path: join(home, `${name}.yaml`) });
}

/** What would be found on a host that has everything. */
export function goldenPlan(spec: TrustDomain, program = '/usr/bin/qemu-system-x86_64'): VmmPlan {
  if (spec.engine.kind !== 'qemu') throw new Error(`${spec.name} has no engine with devices`);
  const { disks, devices, vsock } = spec.engine;
  const layersOf = ({ path, format }: DiskLayer): DiskLayer[] => [
    { path, format, isBlockDevice: false },
    ...(format === 'qcow2' ? [{ path: `${path}.base`, format, isBlockDevice: false }] : []),
  ];
  return {
    spec,
    program,
    uuid: '11111111-2222-4333-8444-555555555555',
    vsockCid: vsock === 'auto' ? 4711 : vsock,
    disks: disks.map((disk) => layersOf({ ...disk, isBlockDevice: false })),
    vfioFiles: devices.map((_, index) => `/dev/vfio/devices/vfio${index}`),
  };
}
