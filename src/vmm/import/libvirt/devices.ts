/** The devices of a domain. */
import { type Draft, type DraftNetwork, noField, pciAddress } from '../draft.ts';
import type { Row } from './rows.ts';
import type { Xml } from './xml.ts';

const silent: Row = () => undefined;

const disk: Row = (element, draft) => {
  const source = element.child('source');
  const path = source?.attribute('file') ?? source?.attribute('dev');
  if (path === undefined) return 'it names no file and no block device';
  const driver = element.child('driver');
  const isCd = element.attribute('device') === 'cdrom';
  const [format, aio] = [driver?.attribute('type'), driver?.attribute('io')];
  const serial = element.child('serial')?.text;
  draft.disk({
    path,
    ...(format === 'qcow2' && { format }),
    ...((isCd || element.child('readonly')) && { readOnly: true }),
    ...(serial !== undefined && { serial }),
    ...(driver?.attribute('discard') === 'unmap' && { discard: true }),
    ...((aio === 'native' || aio === 'io_uring') && { aio }),
  });
  if (format !== undefined && !['raw', 'qcow2'].includes(format))
    return `its format is ${format}; raw and qcow2 can be had`;
  const bus = element.child('target')?.attribute('bus');
  return bus === 'virtio'
    ? undefined
    : 'the disk is taken over as virtio-blk: its name in the guest differs';
};

const networkRow: Row = (element, draft) => {
  const network = networkOf(element);
  const mac = element.child('mac')?.attribute('address');
  const queues = Number(element.child('driver')?.attribute('queues') ?? 1);
  if (network !== undefined) {
    draft.network({
      ...network,
      ...(mac !== undefined && { mac }),
      ...(queues > 1 && (network.tap || network.vhostUser) && { queues }),
    });
  }
  const isNetwork = element.attribute('type') === 'network';
  if (network === undefined) return 'user, tap, bridge and vhost-user can be had';
  if (isNetwork)
    return `it is taken over as the bridge that libvirt makes of its network by default: ${network.bridge}; see virsh net-dumpxml`;
  const model = element.child('model')?.attribute('type');
  return model === undefined || model.startsWith('virtio')
    ? undefined
    : `its model is ${model}; it is taken over as virtio-net`;
};

function networkOf(element: Xml): DraftNetwork | undefined {
  const source = element.child('source');
  const target = element.child('target')?.attribute('dev');
  switch (element.attribute('type')) {
    case 'user':
      return { user: forwards(element) };
    case 'network':
      return { bridge: source?.attribute('bridge') ?? 'virbr0' };
    case 'bridge':
      return { bridge: source?.attribute('bridge') ?? 'br0' };
    case 'ethernet':
      return target === undefined ? undefined : { tap: target };
    case 'vhostuser': {
      const path = source?.attribute('path');
      return path === undefined ? undefined : { vhostUser: path };
    }
    default:
      return undefined;
  }
}

/** portForward is there with the passt backend. */
function forwards(element: Xml): { forward?: string[] } {
  const forward = element.children
    .filter(({ name }) => name === 'portForward')
    .flatMap((each) => {
      const protocol = each.attribute('proto') === 'udp' ? 'udp:' : '';
      const address = each.attribute('address') ?? '0.0.0.0';
      return each.children.map((range) => {
        const start = range.attribute('start');
        return `${protocol}${address}:${start}:${range.attribute('to') ?? start}`;
      });
    });
  return forward.length > 0 ? { forward } : {};
}

const port: Row = (element, draft) => {
  const log = element.child('log')?.attribute('file');
  const source = element.child('source');
  const path = source?.attribute('path');
  const type = element.attribute('type');
  const { spec } = draft;
  if (log !== undefined) spec.console = { ...spec.console, log };
  if (type === 'file' && path !== undefined) spec.console = { ...spec.console, log: path };
  if (type === 'unix' && path !== undefined) spec.console = { ...spec.console, socket: path };
  return undefined;
};

const hostdev: Row = (element, draft: Draft) => {
  const address = element.child('source')?.child('address');
  if (element.attribute('type') !== 'pci' || address === undefined) return noField;
  const part = (name: string, width: number) =>
    Number(address.attribute(name) ?? 0)
      .toString(16)
      .padStart(width, '0');
  const [bus, slot] = [part('bus', 2), part('slot', 2)];
  draft.device(pciAddress(`${part('domain', 4)}:${bus}:${slot}.${part('function', 1)}`));
  return undefined;
};

export const deviceRows: Readonly<Record<string, Row>> = {
  emulator: (element, draft) => {
    draft.spec.qemu = { ...draft.spec.qemu, binary: element.text };
    return undefined;
  },
  disk,
  interface: networkRow,
  serial: port,
  console: port,
  vsock: (element, draft) => {
    const cid = element.child('cid');
    const address = cid?.attribute('address');
    draft.spec.vsock =
      cid?.attribute('auto') === 'yes' || address === undefined ? 'auto' : Number(address);
    return undefined;
  },
  hostdev,
  // What tdctl makes itself, or the guest does not see.
  controller: silent,
  memballoon: (element) =>
    element.attribute('model') === 'none' ? undefined : 'a TD gives no memory back',
  watchdog: (element) => (element.attribute('model') === 'itco' ? undefined : noField),
  rng: () =>
    'the CPU has RDRAND and RDSEED; it can stand in spec.qemu.extraArgs: -device virtio-rng-pci',
};
