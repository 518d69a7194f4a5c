/** QEMU's command line, one element a part of the machine, in the order in which they stand there. */
import { consoleWords } from './console.ts';
import { diskWords } from './disks.ts';
import type { Element, Making } from './element.ts';
import { networkWords } from './networks.ts';
import { tdObject, tdWords } from './td.ts';
import { escaped, json } from './words.ts';

const KIB = 1024n;

export const elements: readonly Element[] = [
  {
    name: 'identity',
    field: 'metadata.name',
    words: ({ spec, uuid }) => ['-name', `guest=${spec.name}`, '-uuid', uuid],
  },
  {
    name: 'nothing of its own accord',
    field: 'spec.engine',
    words: () => ['-nodefaults', '-no-user-config', '-display', 'none'],
  },
  {
    // The machine, and with it the key slot, is taken when the keeper says so, and the guest starts when it says so.
    name: 'held back',
    field: 'spec.engine',
    words: () => ['-preconfig', '-S'],
  },
  {
    // A reset inside QEMU would need a second key slot: a reboot is an end, after which the keeper may begin again.
    name: 'ends',
    field: 'spec.onPanic',
    words: ({ engine }) => [
      '-action',
      `reboot=shutdown,shutdown=poweroff,panic=${engine.onPanic === 'keep' ? 'pause' : 'shutdown'}`,
    ],
  },
  {
    name: 'monitor',
    field: 'spec.engine',
    words: ({ places }) => ['-qmp', `unix:${escaped(places.monitor)},server=on,wait=off`],
  },
  {
    name: 'machine',
    field: 'spec.engine',
    words: () => [
      ...['-machine', `q35,confidential-guest-support=${tdObject},memory-backend=ram,hpet=off`],
      ...['-accel', 'kvm,kernel-irqchip=split'],
    ],
  },
  { name: 'TD', field: 'spec.attributes', words: tdWords },
  {
    name: 'memory',
    field: 'spec.memory',
    words: (making) => [
      ...memoryBackend(making),
      ...['-m', `size=${making.spec.memoryBytes / KIB}k`],
    ],
  },
  {
    // QEMU asks for 52 bits where the host has them: the file decides, so it is always said.
    name: 'CPU',
    field: 'spec.tsc',
    words: ({ spec: { gpaw, tscKhz } }) => [
      '-cpu',
      `host,guest-phys-bits=${gpaw}${tscKhz === undefined ? '' : `,tsc-freq=${tscKhz * 1000}`}`,
    ],
  },
  { name: 'vCPUs', field: 'spec.vcpus', words: ({ spec }) => ['-smp', `cpus=${spec.vcpus}`] },
  {
    name: 'firmware',
    field: 'spec.firmware',
    words: ({ spec, files }) => ['-bios', files.path(spec.firmware.path)],
  },
  {
    name: 'direct boot',
    field: 'spec.boot',
    words: ({ spec: { boot }, files }) =>
      boot === undefined
        ? []
        : [
            ...['-kernel', files.path(boot.kernelPath)],
            ...(boot.initrdPath === undefined ? [] : ['-initrd', files.path(boot.initrdPath)]),
            ...['-append', boot.cmdline],
          ],
  },
  { name: 'console', field: 'spec.console', words: consoleWords },
  { name: 'disks', field: 'spec.disks', words: diskWords },
  { name: 'networks', field: 'spec.networks', words: networkWords },
  {
    name: 'vsock',
    field: 'spec.vsock',
    words: ({ vsockCid, files }) =>
      vsockCid === undefined
        ? []
        : json('-device', {
            driver: 'vhost-vsock-pci',
            id: 'vsock',
            'guest-cid': vsockCid,
            vhostfd: String(files.add('/dev/vhost-vsock', 'readWrite')),
          }),
  },
  { name: 'devices', field: 'spec.devices', words: deviceWords },
  {
    name: 'what the file adds',
    field: 'spec.qemu.extraArgs',
    words: ({ engine }) => engine.extraArgs,
  },
];

/** A vhost-user backend is another process, which maps the shared memory of the guest. */
function memoryBackend({ spec, engine }: Making): string[] {
  const isShared = engine.networks.some(({ backend }) => backend.kind === 'vhostUser');
  return json('-object', {
    'qom-type': isShared ? 'memory-backend-memfd' : 'memory-backend-ram',
    id: 'ram',
    size: Number(spec.memoryBytes),
    ...(isShared && { share: true }),
  });
}

function deviceWords({ vfioFiles, files }: Making): string[] {
  if (vfioFiles.length === 0) return [];
  const iommufd = files.add('/dev/iommu', 'readWrite');
  return [
    ...json('-object', { 'qom-type': 'iommufd', id: 'iommufd', fd: String(iommufd) }),
    ...vfioFiles.flatMap((file, index) =>
      json('-device', {
        driver: 'vfio-pci',
        id: `device${index}`,
        iommufd: 'iommufd',
        fd: String(files.add(file, 'readWrite')),
      }),
    ),
  ];
}
