/** A domain of libvirt as a draft. Each element has a row; what has none is told. */
import { nameFromFile } from '../../../documents/name.ts';
import { inWords } from '../command/machine.ts';
import { readQemu } from '../command/read-qemu.ts';
import { type Draft, hex, noField } from '../draft.ts';
import { deviceRows } from './devices.ts';
import { type Row, readRows } from './rows.ts';
import type { Xml } from './xml.ts';

const kibOf: Readonly<Record<string, bigint>> = {
  k: 1n,
  KiB: 1n,
  M: 1n << 10n,
  MiB: 1n << 10n,
  G: 1n << 20n,
  GiB: 1n << 20n,
  T: 1n << 30n,
  TiB: 1n << 30n,
};

const silent: Row = () => undefined;

const osRows: Readonly<Record<string, Row>> = {
  type: (element) => {
    const machine = element.attribute('machine') ?? '';
    if (!/^(pc-)?q35/.test(machine)) return 'the machine of a TD is q35';
    return undefined;
  },
  loader: (element, draft) => {
    if (element.text !== '') draft.spec.firmware = element.text;
    return element.attribute('type') === 'pflash'
      ? "a TD has no flash, and QEMU does not start one with it: write <loader type='rom'>; the path is taken over as the one file of the firmware"
      : undefined;
  },
  nvram: () => 'a TD has no flash to keep variables in',
  kernel: (element, draft) => boot(draft, { kernel: element.text }),
  initrd: (element, draft) => boot(draft, { initrd: element.text }),
  cmdline: (element, draft) => boot(draft, { cmdline: element.text }),
  boot: (element) =>
    element.attribute('dev') === 'hd' ? undefined : 'a TD starts from its disks, in their order',
  bootmenu: silent,
  smbios: () => noField,
};

function boot(
  draft: Draft,
  part: { kernel?: string; initrd?: string; cmdline?: string },
): undefined {
  draft.spec.boot = { ...draft.spec.boot, ...part };
}

/** What a TD has in any case, or never: no word is lost. */
const featureRows: Readonly<Record<string, Row>> = {
  acpi: silent,
  apic: silent,
  pae: silent,
  pic: silent,
  vmport: silent,
  ioapic: (element) =>
    element.attribute('driver') === 'qemu' ? undefined : "a TD has a split irqchip: driver='qemu'",
  smm: (element) => (element.attribute('state') === 'off' ? undefined : 'a TD has no SMM'),
};

const cpuRows: Readonly<Record<string, Row>> = {
  topology: (element) =>
    [element.attribute('threads'), element.attribute('dies')].every(
      (count) => (count ?? '1') === '1',
    )
      ? undefined
      : 'the guest sees one thread a core; there is no field for a topology',
  maxphysaddr: silent,
  cache: silent,
};

const clockRows: Readonly<Record<string, Row>> = {
  timer: (element, draft) => {
    const [name, hz] = [element.attribute('name'), element.attribute('frequency')];
    if (name === 'tsc' && hz !== undefined) draft.spec.tsc = `${Number(hz) / 1_000_000}MHz`;
    if (name === 'hpet' && element.attribute('present') !== 'no')
      return 'a TD of tdctl has no HPET';
    return undefined;
  },
};

const identities: Readonly<Record<string, 'mrConfigId' | 'mrOwner' | 'mrOwnerConfig'>> = {
  mrConfigId: 'mrConfigId',
  mrOwner: 'mrOwner',
  mrOwnerConfig: 'mrOwnerConfig',
};
const identityRow: Row = (element, draft) => {
  const field = identities[element.name];
  if (field !== undefined) draft.spec.identity = { ...draft.spec.identity, [field]: element.text };
  return undefined;
};

/** What libvirt puts there where no path is named. */
const usualSocket = '/var/run/tdx-qgs/qgs.socket';
const septVeDisable = 1n << 28n;

const securityRows: Readonly<Record<string, Row>> = {
  policy: (element, draft) => {
    if (!/^(0x[0-9a-f]+|\d+)$/i.test(element.text)) return 'it is no number';
    const mask = BigInt(element.text);
    if (mask !== septVeDisable) draft.spec.attributes = hex(mask);
    return undefined;
  },
  mrConfigId: identityRow,
  mrOwner: identityRow,
  mrOwnerConfig: identityRow,
  quoteGenerationService: (element, draft) => {
    const address = element.child('SocketAddress');
    const socket =
      address?.attribute('type') === 'vsock'
        ? `vsock:${address.attribute('cid')}:${address.attribute('port')}`
        : `unix:${element.attribute('path') ?? address?.attribute('path') ?? usualSocket}`;
    draft.spec.quotes = { socket };
    return undefined;
  },
};

const domainRows: Readonly<Record<string, Row>> = {
  name: (element, draft) => {
    draft.name = nameFromFile(`${element.text}.`);
    return draft.name === element.text
      ? undefined
      : `the TD is called ${draft.name}: a name here is a DNS label`;
  },
  memory: (element, draft) => {
    const unit = kibOf[element.attribute('unit') ?? 'KiB'];
    if (unit === undefined || !/^\d+$/.test(element.text)) return 'no size was found in it';
    draft.spec.memory = inWords(BigInt(element.text) * unit);
    return undefined;
  },
  vcpu: (element, draft) => {
    const [most, current] = [
      Number(element.text),
      Number(element.attribute('current') ?? element.text),
    ];
    draft.spec.vcpus = current;
    return current < most ? 'QEMU adds no vCPU to a TD that runs' : undefined;
  },
  os: (element, draft) => {
    readRows(element, osRows, draft);
    return element.attribute('firmware') === undefined || element.child('loader')
      ? undefined
      : 'libvirt would choose the firmware; name it with spec.firmware';
  },
  features: (element, draft) => readRows(element, featureRows, draft),
  cpu: (element, draft) => {
    readRows(element, cpuRows, draft);
    const mode = element.attribute('mode') ?? 'custom';
    return mode === 'host-passthrough'
      ? undefined
      : "QEMU takes the CPU of the host alone for a TD: mode='host-passthrough'";
  },
  clock: (element, draft) => {
    readRows(element, clockRows, draft);
    return (element.attribute('offset') ?? 'utc') === 'utc'
      ? undefined
      : 'the clock of a TD is UTC';
  },
  on_reboot: (element, draft) => {
    draft.spec.onReboot = element.text === 'restart' ? 'restart' : 'stop';
    return undefined;
  },
  on_crash: (element, draft) => {
    draft.spec.onPanic = element.text === 'preserve' ? 'keep' : 'stop';
    return ['destroy', 'preserve'].includes(element.text)
      ? undefined
      : 'a TD that panicked is destroyed, or kept for a look';
  },
  on_poweroff: (element) =>
    element.text === 'destroy' ? undefined : 'a TD that has powered off is at its end',
  memoryBacking: (element) => {
    const others = element.children.filter(({ name }) => !['source', 'access'].includes(name));
    return others.length === 0 ? undefined : noField;
  },
  devices: (element, draft) => readRows(element, deviceRows, draft),
  launchSecurity: (element, draft) => {
    const type = element.attribute('type');
    if (type !== 'tdx') return `it is for ${type}; what is written is a TD`;
    draft.isTd = true;
    return readRows(element, securityRows, draft);
  },
  commandline: (element, draft) => {
    const words = element.children.flatMap((child) =>
      child.name === 'arg' ? [child.attribute('value') ?? ''] : [],
    );
    readQemu(draft, words, { place: element.place, directory: '/' });
    return undefined;
  },
  ...Object.fromEntries(
    'uuid title description metadata currentMemory resource seclabel pm iothreads'
      .split(' ')
      .map((name) => [name, silent]),
  ),
  allowReboot: silent,
};

export function readLibvirt(draft: Draft, domain: Xml): void {
  const type = domain.attribute('type');
  if (type !== 'kvm') draft.leave(domain.place, `<domain type='${type}'>`, 'a TD needs KVM');
  readRows(domain, domainRows, draft);
}
