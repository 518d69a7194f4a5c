/** Options that say what the machine is: its CPU, memory, firmware, and the TD in it. */
import { hex, noField } from '../draft.ts';
import { absolute, type Handler, leaveRest, onOff, type Reading } from './parts.ts';
import { OptionValues } from './values.ts';

/** What tdctl says itself, or what means nothing in a TD. */
const machineWords = [
  ...[
    'accel',
    'confidential-guest-support',
    'kernel-irqchip',
    'memory-backend',
    'hpet',
    'smm',
    'pic',
  ],
  ...[
    'usb',
    'dump-guest-core',
    'vmport',
    'graphics',
    'acpi',
    'kvm-type',
    'memory-encryption',
    'mem-merge',
  ],
];

export const machine: Handler = (reading, value) => {
  const values = OptionValues.of(value, 'type');
  const type = values.take('type') ?? 'pc';
  const { draft, place } = reading;
  if (!/^(pc-)?q35/.test(type))
    draft.leave(place, `-machine ${type}`, 'the machine of a TD is q35');
  values.drop(...machineWords);
  leaveRest(reading, values, '-machine');
};

const KIB = { k: 1n, m: 1n << 10n, g: 1n << 20n, t: 1n << 30n } as const;

export const memory: Handler = ({ draft, place }, value, whole) => {
  const values = OptionValues.of(value, 'size');
  const text = values.take('size') ?? '';
  const [, digits, unit = 'm'] = /^([0-9.]+)([kmgt])?(?:i?b)?$/i.exec(text) ?? [];
  if (digits === undefined) return draft.leave(place, whole, 'no size was found in it');
  const kib = Number(digits) * Number(KIB[unit.toLowerCase() as keyof typeof KIB]);
  draft.spec.memory = inWords(BigInt(Math.round(kib)));
  for (const rest of values.rest)
    draft.leave(place, `-m ${rest}`, 'no memory is added to a TD that runs');
  return undefined;
};

/** In the largest unit that it is a multiple of. */
export function inWords(kib: bigint): string {
  for (const [unit, size] of [
    ['GiB', KIB.g],
    ['MiB', KIB.m],
  ] as const) {
    if (kib > 0n && kib % size === 0n) return `${kib / size}${unit}`;
  }
  return `${kib}KiB`;
}

export const cpus: Handler = ({ draft, place }, value) => {
  const values = OptionValues.of(value, 'cpus');
  const [sockets, dies, cores, threads] = ['sockets', 'dies', 'cores', 'threads'].map((key) =>
    Number(values.take(key) ?? 1),
  ) as [number, number, number, number];
  const product = sockets * dies * cores * threads;
  const count = Number(values.take('cpus') ?? product);
  draft.spec.vcpus = count;
  if (threads > 1 || dies > 1) {
    draft.leave(
      place,
      `-smp ${value}`,
      'the guest sees one thread a core; there is no field for a topology',
    );
  }
  const most = values.take('maxcpus');
  if (most !== undefined && Number(most) > count) {
    draft.leave(place, `-smp maxcpus=${most}`, 'QEMU adds no vCPU to a TD that runs');
  }
};

export const cpu: Handler = (reading, value) => {
  const values = OptionValues.of(value, 'model');
  const model = values.take('model');
  const { draft, place } = reading;
  if (model !== 'host') draft.leave(place, `-cpu ${model}`, 'QEMU takes host alone for a TD');
  const hz = values.take('tsc-freq');
  if (hz !== undefined) draft.spec.tsc = `${Number(hz) / 1_000_000}MHz`;
  const [width, perf] = [values.take('guest-phys-bits'), values.take('pmu')];
  if (width !== undefined && width !== '48')
    draft.leave(place, `guest-phys-bits=${width}`, 'say it with spec.gpaw');
  if (onOff(perf)) draft.leave(place, '-cpu pmu=on', 'ask for it with spec.attributes: perfmon');
  // What QEMU has off in a TD in any case.
  values.drop('host-phys-bits', 'kvm-steal-time', 'migratable', 'topoext');
  leaveRest(reading, values, '-cpu');
};

const identities = {
  mrconfigid: 'mrConfigId',
  mrowner: 'mrOwner',
  mrownerconfig: 'mrOwnerConfig',
} as const;
const septVeDisable = 1n << 28n;

function tdObject(reading: Reading, values: OptionValues): void {
  const { draft, place } = reading;
  const { spec } = draft;
  draft.isTd = true;
  const mask = values.take('attributes');
  const noVe = values.take('sept-ve-disable');
  const debug = onOff(values.take('debug')) ? 1n : 0n;
  const said = mask === undefined ? septVeDisable : BigInt(mask);
  const attributes = (noVe === 'off' ? said & ~septVeDisable : said) | debug;
  if (attributes !== septVeDisable) spec.attributes = hex(attributes);
  for (const [key, field] of Object.entries(identities)) {
    const text = values.take(key);
    if (text !== undefined) spec.identity = { ...spec.identity, [field]: text };
  }
  const old = values.take('quote-generation-service');
  if (old !== undefined) {
    draft.leave(
      place,
      'quote-generation-service',
      'released QEMUs call it quote-generation-socket, and do not start with this; taken over as that',
    );
    spec.quotes = { socket: old };
  }
  const socket = (key: string) => values.take(`quote-generation-socket.${key}`);
  const [type, path, cid, port] = ['type', 'path', 'cid', 'port'].map(socket);
  if (type === 'unix' && path !== undefined) spec.quotes = { socket: `unix:${path}` };
  else if (type === 'vsock') spec.quotes = { socket: `vsock:${cid}:${port}` };
  else if (type !== undefined)
    draft.leave(
      place,
      `quote-generation-socket ${type}`,
      'quotes come from a unix or a vsock socket',
    );
  leaveRest(reading, values, '-object tdx-guest');
}

export const object: Handler = (reading, value, whole) => {
  const values = OptionValues.of(value, 'qom-type');
  const type = values.take('qom-type') ?? '';
  const id = values.take('id') ?? '';
  const { draft, place } = reading;
  if (type === 'tdx-guest') return tdObject(reading, values);
  if (/^sev(-snp)?-guest$/.test(type)) {
    return draft.leave(place, whole, 'it is for AMD; what is written is a TD');
  }
  if (type.startsWith('memory-backend-')) {
    reading.memories.add(id);
    if (type === 'memory-backend-memfd-private') {
      return draft.leave(
        place,
        `-object ${type}`,
        'only QEMUs that were patched have it; released ones give a TD its private memory themselves',
      );
    }
    values.drop('size', 'share');
    return leaveRest(reading, values, `-object ${type}`);
  }
  if (type === 'iommufd') return undefined;
  return draft.leave(place, whole, noField);
};

export const firmware: Handler = (reading, value) => {
  reading.draft.spec.firmware = absolute(reading, value);
};

export const kernel: Handler = (reading, value) => {
  reading.draft.spec.boot = { ...reading.draft.spec.boot, kernel: absolute(reading, value) };
};

export const initrd: Handler = (reading, value) => {
  reading.draft.spec.boot = { ...reading.draft.spec.boot, initrd: absolute(reading, value) };
};

export const append: Handler = ({ draft }, value) => {
  draft.spec.boot = { ...draft.spec.boot, cmdline: value };
};
