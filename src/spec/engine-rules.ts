/** What an engine does not read may not stand in its file: it would be dropped without a word. */
import type { Rule } from '../documents/rules.ts';
import type { PortForward } from './engine.ts';
import type { TrustDomainFile } from './schema.ts';

type Spec = TrustDomainFile['spec'];
type EngineName = Spec['engine'];
type Field = keyof Spec;

const devicesOfQemu: readonly Field[] = [
  'disks',
  'networks',
  'vsock',
  'devices',
  'onReboot',
  'onPanic',
  'qemu',
];

/** A rule for the files of one engine, about one field and the others that its problem needs. */
function of<Name extends Field>(
  engine: EngineName,
  field: readonly [Name, ...string[]],
  problemOf: (value: NonNullable<Spec[Name]>, spec: Pick<Spec, 'vcpus'>) => string | undefined,
): Rule {
  return {
    field: ['spec', ...field],
    reads: [
      ['spec', 'engine'],
      ['spec', 'vcpus'],
      ['spec', field[0]],
    ],
    check: (chosen: EngineName, vcpus: number, value: Spec[Name]) =>
      chosen === engine && value !== undefined && value !== null
        ? problemOf(value as NonNullable<Spec[Name]>, { vcpus })
        : undefined,
  };
}

const KIB8 = 8192n;

export const engineRules: readonly Rule[] = [
  ...devicesOfQemu.map((name) =>
    of(
      'builtin',
      [name],
      () => 'is read by the engine qemu alone: write `engine: qemu`, or leave it out',
    ),
  ),
  of('builtin', ['console'], (place) =>
    place !== 'stdio' && place.log !== undefined
      ? 'has a log, which the engine qemu writes; the builtin one writes `file`'
      : undefined,
  ),
  of('builtin', ['console'], (place) => {
    if (place === 'stdio' || place.log !== undefined) return undefined;
    const isOne = (place.file === undefined) !== (place.socket === undefined);
    return isOne ? undefined : 'must have either file or socket: the console goes to one place';
  }),
  of('qemu', ['console'], (place) => {
    const wanted = 'must be a map with log, socket or both';
    if (place === 'stdio') return `${wanted}: QEMU has no terminal`;
    if (place.file !== undefined) {
      return 'has a file, which the builtin engine writes; with the engine qemu, write `log`';
    }
    const isEmpty = place.log === undefined && place.socket === undefined;
    return isEmpty ? `${wanted}; this has neither` : undefined;
  }),
  of('qemu', ['firmware'], (firmware) =>
    typeof firmware === 'string' || firmware.vars === undefined
      ? undefined
      : 'must be one file: a TD of QEMU has no flash to keep variables in; join them: cat VARS CODE > OVMF.fd',
  ),
  of('qemu', ['maxVcpus'], (maxVcpus, { vcpus }) =>
    maxVcpus > vcpus
      ? 'must be the same as vcpus with the engine qemu, which creates no vCPU that it does not start'
      : undefined,
  ),
  of('qemu', ['networks'], (networks) =>
    forwardedTwice(networks.flatMap(({ user }) => user?.forward ?? [])),
  ),
  ...(['mac', 'tap', 'vhostUser'] as const).map((name) =>
    of('qemu', ['networks'], (networks) =>
      twice(
        networks.flatMap(
          ({ mac, ...others }) => ({ ...others, mac: mac?.toLowerCase() })[name] ?? [],
        ),
        `has the ${name}`,
        'twice',
      ),
    ),
  ),
  of('qemu', ['disks'], (disks) => {
    const written = disks.flatMap(({ path, readOnly }) => (readOnly ? [] : [path]));
    return twice(written, 'has', 'twice, and both would write to it');
  }),
  of('qemu', ['disks'], (disks) =>
    twice(
      disks.flatMap(({ serial }) => serial ?? []),
      'has the serial',
      'twice, and the guest could not tell which is which',
    ),
  ),
  of('qemu', ['devices'], (devices) =>
    twice(
      devices.map(({ vfio }) => vfio),
      'has',
      'twice',
    ),
  ),
  of('qemu', ['memory'], (memory) =>
    memory % KIB8 === 0n
      ? undefined
      : 'must be a multiple of 8KiB with the engine qemu, which would round it up',
  ),
  of(
    'qemu',
    ['xfam'],
    () =>
      'cannot be asked of the engine qemu, which makes XFAM of the features of the CPU; leave it out',
  ),
];

const anyAddress = '0.0.0.0';

/** Two addresses of the host have a port each, and all of them together have each port as well. */
function forwardedTwice(forwards: readonly PortForward[]): string | undefined {
  const second = forwards.find((one, index) =>
    forwards
      .slice(0, index)
      .some(
        (other) =>
          one.protocol === other.protocol &&
          one.hostPort === other.hostPort &&
          (one.hostAddress === other.hostAddress ||
            [one.hostAddress, other.hostAddress].includes(anyAddress)),
      ),
  );
  return second && `forwards ${second.protocol} port ${second.hostPort} twice`;
}

function twice(names: readonly string[], verb: string, words: string): string | undefined {
  const name = names.find((each, index) => names.indexOf(each) < index);
  return name === undefined ? undefined : `${verb} ${name} ${words}`;
}
