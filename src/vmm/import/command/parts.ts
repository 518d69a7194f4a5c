/** Parts of a command that name each other: a device and its drive, a card and its backend, a port and its chardev. */
import { type Draft, type DraftDisk, type DraftNetwork, pciAddress } from '../draft.ts';
import { OptionValues } from './values.ts';

export interface Reading {
  readonly draft: Draft;
  /** What `notTaken` names as the place. */
  readonly place: string;
  readonly directory: string;
  readonly drives: Map<string, DraftDisk>;
  readonly netdevs: Map<string, DraftNetwork>;
  readonly chardevs: Map<string, { readonly log?: string; readonly socket?: string }>;
  /** The objects that are memory. */
  readonly memories: Set<string>;
}

export type Handler = (reading: Reading, value: string, whole: string) => void;

export function onOff(value: string | undefined): boolean {
  return value === 'on' || value === 'yes' || value === 'true';
}

/** Says what of an option was left over. */
export function leaveRest(reading: Reading, values: OptionValues, option: string): void {
  for (const rest of values.rest) {
    reading.draft.leave(reading.place, `${option} …,${rest}`, 'there is no field for it');
  }
}

export function absolute({ directory }: Reading, path: string): string {
  return path.startsWith('/') ? path : `${directory.replace(/\/$/, '')}/${path}`;
}

/** -drive, and what -blockdev says of a file. */
export function diskOf(reading: Reading, values: OptionValues): DraftDisk | undefined {
  const path = values.take('file') ?? values.take('file.filename') ?? values.take('filename');
  const format = values.take('format') ?? values.take('driver');
  const readOnly = values.take('readonly') ?? values.take('read-only');
  const discard = values.take('discard');
  const aio = values.take('aio') ?? values.take('file.aio');
  values.drop('media', 'index', 'cache', 'werror', 'rerror', 'auto-read-only', 'detect-zeroes');
  values.drop(
    'file.driver',
    'file.read-only',
    'file.discard',
    'file.auto-read-only',
    'cache.direct',
  );
  if (path === undefined) return undefined;
  return {
    path: absolute(reading, path),
    ...((format === 'qcow2' || (format === undefined && path.endsWith('.qcow2'))) && {
      format: 'qcow2',
    }),
    ...(onOff(readOnly) && { readOnly: true }),
    ...((discard === 'unmap' || discard === 'on') && { discard: true }),
    ...((aio === 'native' || aio === 'io_uring') && { aio }),
  };
}

/** -netdev, and the first half of -nic. */
export function networkOf(reading: Reading, values: OptionValues): DraftNetwork | undefined {
  const type = values.take('type');
  const queues = Number(values.take('queues') ?? 1);
  const many = queues > 1 ? { queues } : {};
  if (type === 'user') {
    if (!onOff(values.take('restrict'))) values.drop('restrict');
    else
      reading.draft.leave(
        reading.place,
        '-netdev user,restrict=on',
        'the guest can reach out: there is no field for it',
      );
    const forward = values.takeAll('hostfwd').map(forwardOf);
    return { user: forward.length > 0 ? { forward } : {} };
  }
  if (type === 'tap') {
    values.drop('script', 'downscript', 'vhost');
    const name = values.take('ifname');
    return name === undefined ? undefined : { tap: name, ...many };
  }
  if (type === 'bridge') return { bridge: values.take('br') ?? 'br0' };
  if (type === 'vhost-user') {
    const socket = reading.chardevs.get(values.take('chardev') ?? '')?.socket;
    return socket === undefined ? undefined : { vhostUser: socket, ...many };
  }
  return undefined;
}

/** `tcp::2222-:22`: where no address is named, QEMU listens on all. */
function forwardOf(text: string): string {
  const match = /^(?:(tcp|udp):)?([^:]*):(\d+)-([^:]*):(\d+)$/.exec(text);
  if (match === null) return text;
  const [, protocol = 'tcp', address = '', host, , guest] = match;
  const prefix = protocol === 'udp' ? 'udp:' : '';
  return `${prefix}${address === '' ? '0.0.0.0' : address}:${host}:${guest}`;
}

/** Devices of every VM, which tdctl makes itself or a TD does not need. */
const silentDevices = /^(isa-serial|virtconsole|pcie-root-port|virtio-serial(-pci)?|iommufd)$/;

export const device: Handler = (reading, value, whole) => {
  const values = OptionValues.of(value, 'driver');
  const driver = values.take('driver') ?? '';
  values.drop('id', 'bus', 'addr', 'romfile', 'disable-legacy', 'disable-modern', 'iommu-platform');
  values.drop(
    'bootindex',
    'multifunction',
    'chassis',
    'port',
    'num-queues',
    'mq',
    'vectors',
    'scsi',
  );
  const { draft, place } = reading;
  if (/^virtio-(blk|blk-pci)$/.test(driver)) {
    const id = values.take('drive') ?? '';
    const disk = reading.drives.get(id);
    reading.drives.delete(id);
    const serial = values.take('serial');
    if (disk) draft.disk({ ...disk, ...(serial !== undefined && { serial }) });
    else draft.leave(place, whole, 'no -drive or -blockdev has that id');
  } else if (/^virtio-net(-pci)?$/.test(driver)) {
    const id = values.take('netdev') ?? '';
    const network = reading.netdevs.get(id);
    reading.netdevs.delete(id);
    const mac = values.take('mac');
    if (network) draft.network({ ...network, ...(mac !== undefined && { mac }) });
    else draft.leave(place, whole, 'its backend was not taken over');
  } else if (/^vhost-vsock-pci/.test(driver)) {
    values.drop('vhostfd');
    draft.spec.vsock = Number(values.take('guest-cid'));
  } else if (driver === 'vfio-pci') {
    values.drop('iommufd');
    const host = values.take('host') ?? values.take('sysfsdev')?.split('/').at(-1);
    if (host === undefined) draft.leave(place, whole, 'it does not say which device of the host');
    else draft.device(pciAddress(host));
  } else if (silentDevices.test(driver)) {
    return;
  } else {
    draft.leave(place, whole, 'there is no field for it; it can stand in spec.qemu.extraArgs');
    return;
  }
  leaveRest(reading, values, `-device ${driver}`);
};

export const drive: Handler = (reading, value, whole) => {
  const values = OptionValues.of(value, 'file');
  const id = values.take('id');
  const kind = values.take('if');
  if (kind === 'pflash') {
    const path = values.take('file');
    const isCode = onOff(values.take('readonly')) && path !== undefined;
    const { draft, place } = reading;
    draft.leave(
      place,
      whole,
      'a TD has no flash, and QEMU does not start one with it; the firmware is one file, given with -bios',
    );
    if (isCode) draft.spec.firmware ??= absolute(reading, path);
    return;
  }
  const disk = diskOf(reading, values);
  leaveRest(reading, values, '-drive');
  if (disk === undefined) reading.draft.leave(reading.place, whole, 'it names no file');
  else if (kind === 'none' && id !== undefined) reading.drives.set(id, disk);
  else takeDisk(reading, disk, kind === 'virtio' ? undefined : whole);
};

/** @param other the words, where the guest would see no virtio disk. */
export function takeDisk({ draft, place }: Reading, disk: DraftDisk, other?: string): void {
  draft.disk(disk);
  if (other !== undefined)
    draft.leave(
      place,
      other,
      'the disk is taken over as virtio-blk: its name in the guest differs',
    );
}

export const blockdev: Handler = (reading, value, whole) => {
  const values = OptionValues.of(value, 'driver');
  const id = values.take('node-name') ?? '';
  // A node over another names it; its file is that of the other.
  const below = reading.drives.get(values.take('file') ?? '');
  if (below !== undefined) {
    reading.drives.delete(id);
    const format = values.take('driver') === 'qcow2' ? ({ format: 'qcow2' } as const) : {};
    const readOnly = onOff(values.take('read-only')) ? ({ readOnly: true } as const) : {};
    reading.drives.set(id, { ...below, ...format, ...readOnly });
    return;
  }
  const disk = diskOf(reading, values);
  if (disk === undefined) reading.draft.leave(reading.place, whole, 'it names no file');
  else reading.drives.set(id, disk);
  leaveRest(reading, values, '-blockdev');
};
