/** Each option of QEMU that a definition may have, and what becomes of it. */
import { nameFromFile } from '../../../documents/name.ts';
import { noField } from '../draft.ts';
import * as machine from './machine.ts';
import {
  absolute,
  blockdev,
  device,
  diskOf,
  drive,
  type Handler,
  leaveRest,
  networkOf,
  takeDisk,
} from './parts.ts';
import { OptionValues } from './values.ts';

export interface Option {
  readonly hasValue: boolean;
  readonly handle: Handler;
}

const flag = (handle: Handler): Option => ({ hasValue: false, handle });
const valued = (handle: Handler): Option => ({ hasValue: true, handle });

/** tdctl says the same, or it is the keeper's, or it says nothing of the TD. */
const silent: Handler = () => undefined;

/** It has no place, for a reason of its own. */
const left =
  (why: string): Handler =>
  ({ draft, place }, _, whole) =>
    draft.leave(place, whole, why);

const chardev: Handler = (reading, value) => {
  const values = OptionValues.of(value, 'backend');
  const [backend, id, path] = ['backend', 'id', 'path'].map((key) => values.take(key));
  const log = values.take('logfile') ?? (backend === 'file' ? path : undefined);
  const socket = backend === 'socket' ? path : undefined;
  reading.chardevs.set(id ?? '', {
    ...(log !== undefined && { log: absolute(reading, log) }),
    ...(socket !== undefined && { socket: absolute(reading, socket) }),
  });
};

const serial: Handler = (reading, value) => {
  const [, kind = '', rest = ''] = /^([a-z]+)(?::(.*))?$/.exec(value) ?? [];
  const { draft } = reading;
  const path = absolute(reading, rest.split(',')[0] ?? '');
  const place =
    kind === 'chardev'
      ? reading.chardevs.get(rest)
      : kind === 'file'
        ? { log: path }
        : kind === 'unix'
          ? { socket: path }
          : undefined;
  if (place && Object.keys(place).length > 0)
    draft.spec.console = { ...draft.spec.console, ...place };
};

const nic: Handler = (reading, value, whole) => {
  const values = OptionValues.of(value, 'type');
  const mac = values.take('mac');
  values.drop('model', 'id');
  const network = networkOf(reading, values);
  if (network) reading.draft.network({ ...network, ...(mac !== undefined && { mac }) });
  else if (value !== 'none') reading.draft.leave(reading.place, whole, noField);
};

const netdev: Handler = (reading, value, whole) => {
  const values = OptionValues.of(value, 'type');
  const id = values.take('id') ?? '';
  const isFd = (values.take('fd') ?? values.take('fds')) !== undefined;
  const network = networkOf(reading, values);
  if (network === undefined) {
    const why = isFd
      ? 'its interface came as an fd, and has no name here; name it with spec.networks[].tap'
      : noField;
    return reading.draft.leave(reading.place, whole, why);
  }
  reading.netdevs.set(id, network);
  return leaveRest(reading, values, '-netdev');
};

const disk: Handler = (reading, value, whole) => {
  const found = diskOf(reading, OptionValues.of(value, 'file'));
  if (found) takeDisk(reading, found, whole);
};

const cdrom: Handler = (reading, value, whole) =>
  takeDisk(reading, { path: absolute(reading, value), readOnly: true }, whole);

const name: Handler = ({ draft, place }, value) => {
  const values = OptionValues.of(value, 'guest');
  const guest = values.take('guest') ?? '';
  if (guest === '') return;
  draft.name = nameFromFile(`${guest}.`);
  if (draft.name !== guest)
    draft.leave(
      place,
      `-name ${guest}`,
      `the TD is called ${draft.name}: a name here is a DNS label`,
    );
};

const panicOf = { pause: 'keep', none: 'keep', shutdown: 'stop', 'exit-failure': 'stop' } as const;

const action: Handler = ({ draft }, value) => {
  const values = OptionValues.of(value, 'none');
  const panic = values.take('panic');
  if (values.take('reboot') === 'shutdown') draft.spec.onReboot = 'stop';
  if (panic !== undefined && Object.hasOwn(panicOf, panic)) {
    draft.spec.onPanic = panicOf[panic as keyof typeof panicOf];
  }
};

const noReboot: Handler = ({ draft }) => {
  draft.spec.onReboot = 'stop';
};

const many = (names: string, option: Option) =>
  Object.fromEntries(names.split(' ').map((each) => [each, option]));

export const options: Readonly<Record<string, Option>> = {
  ...many('machine M', valued(machine.machine)),
  ...many('hda hdb hdc hdd', valued(disk)),
  ...many(
    'nodefaults nographic no-user-config enable-kvm no-hpet daemonize S preconfig',
    flag(silent),
  ),
  ...many(
    'watchdog-action accel display vga qmp monitor mon pidfile D d msg sandbox rtc boot overcommit uuid add-fd run-with chroot runas parallel',
    valued(silent),
  ),
  ...many('no-acpi', flag(left('a TD needs ACPI'))),
  ...many('pflash', valued(left('a TD has no flash; the firmware is one file, given with -bios'))),
  ...many('incoming loadvm', valued(left('the state of a TD cannot be read'))),
  ...many(
    'snapshot',
    flag(left('changes of a disk are kept; make an overlay: qemu-img create -b')),
  ),
  ...many(
    'no-shutdown',
    flag(left('the keeper of a TD sees its end, and gives its key slot back')),
  ),
  ...many(
    'usb usbdevice virtfs fsdev numa smbios fw_cfg global tpmdev audiodev spice vnc k net mem-path',
    valued(left(noField)),
  ),
  ...many('mem-prealloc', flag(left(noField))),
  name: valued(name),
  object: valued(machine.object),
  cpu: valued(machine.cpu),
  smp: valued(machine.cpus),
  m: valued(machine.memory),
  bios: valued(machine.firmware),
  kernel: valued(machine.kernel),
  initrd: valued(machine.initrd),
  append: valued(machine.append),
  drive: valued(drive),
  blockdev: valued(blockdev),
  cdrom: valued(cdrom),
  device: valued(device),
  netdev: valued(netdev),
  nic: valued(nic),
  chardev: valued(chardev),
  serial: valued(serial),
  action: valued(action),
  'no-reboot': flag(noReboot),
};

/** Devices name what stands before or after them, so they are read last. */
export const readLast: ReadonlySet<string> = new Set(['device', 'serial']);
