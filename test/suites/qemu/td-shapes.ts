/** The shapes of TDs that QEMU is asked for, as changes of an ordinary one. */

interface Start {
  readonly command: readonly string[];
  /** What is typed at its monitor. */
  readonly input?: string;
}

export interface TdShape {
  readonly name: string;
  /** So many are finalized; one if not said. */
  readonly tds?: number;
  readonly inCi?: true;
  /** What QEMU says as it gives up, where KVM has to refuse this. */
  readonly refused?: RegExp;
  /** What it says on any host, and has to. */
  readonly says?: RegExp;
  change(command: readonly string[]): Start;
}

/** Of SHA-384. */
const digest = Buffer.alloc(48, 0xa5).toString('base64');

/** A later option of the same name wins, or adds to the earlier. */
const adding =
  (...options: readonly string[]) =>
  (command: readonly string[]): Start => ({ command: [...command, ...options] });

const withObject = (properties: string) => (command: readonly string[]) => ({
  command: command.map((word) => (word.startsWith('tdx-guest,') ? `${word},${properties}` : word)),
});

const onMachine = (machine: string) => (command: readonly string[]) => ({
  command: command.map((word) => word.replace(/^q35,/, `${machine},`)),
});

/** Stopped at first, so that what is typed comes before the guest runs and ends. */
const typing =
  (lines: readonly string[], ...options: readonly string[]) =>
  (command: readonly string[]): Start => ({
    command: [...command, '-S', '-monitor', 'stdio', ...options],
    input: `${[...lines, 'cont'].join('\n')}\n`,
  });

const vcpus = [1, 2, 8, 32, 64, 128, 224].map(
  (count): TdShape => ({
    name: `${count} vCPUs`,
    ...(count === 8 && { inCi: true }),
    change: adding('-smp', `${count}`),
  }),
);
const sizes = [1, 2, 3].map(
  (gib): TdShape => ({ name: `${gib} GiB`, change: adding('-m', `${gib}G`) }),
);
const measured = ['mrconfigid', 'mrowner', 'mrownerconfig'].map(
  (property): TdShape => ({
    name: property,
    ...(property === 'mrconfigid' && { inCi: true }),
    change: withObject(`${property}=${digest}`),
  }),
);
const machines = ['pc', 'microvm'].map(
  (machine): TdShape => ({ name: `-machine ${machine}`, change: onMachine(machine) }),
);

/** QEMU writes a line in pieces, which would mix in one pipe. */
const fourAtOnce = `
  said=$(mktemp -d)
  for n in 1 2 3 4; do "$@" 2> "$said/$n" & done
  wait
  cat "$said"/* >&2
  rm -r "$said"`;

export const tdShapes: readonly TdShape[] = [
  ...vcpus,
  ...sizes,
  ...measured,
  ...machines,
  {
    name: 'debug',
    refused: /Invalid attributes 0x1 for TDX VM \(KVM supported: 0x10000000\)/,
    change: withObject('attributes=1'),
  },
  { name: 'no sept-ve-disable', change: withObject('sept-ve-disable=off') },
  {
    name: 'quote socket',
    change: (command) => ({
      command: command.map((word) =>
        word.startsWith('tdx-guest,')
          ? '{"qom-type":"tdx-guest","id":"tdx0","quote-generation-socket":{"type":"vsock","cid":"2","port":"4050"}}'
          : word,
      ),
    }),
  },
  {
    name: 'memory in a memfd',
    change: (command) => ({
      command: [
        ...command.map((word) => word.replace(/^q35,/, 'q35,memory-backend=ram,')),
        ...['-object', 'memory-backend-memfd,id=ram,size=512M,share=on'],
      ],
    }),
  },
  {
    name: 'hot-plugged vCPU',
    refused: /kvm_create_vcpu failed \(1\): Input\/output error/,
    change: typing(
      ['device_add host-x86_64-cpu,id=more,socket-id=1,core-id=0,thread-id=0'],
      ...['-smp', '1,sockets=2,maxcpus=2'],
    ),
  },
  {
    name: 'hot-plugged memory',
    change: typing(
      ['object_add memory-backend-ram,id=more,size=256M', 'device_add pc-dimm,memdev=more'],
      ...['-m', '512,slots=1,maxmem=2G'],
    ),
  },
  {
    name: 'reset',
    tds: 2,
    // qemu_system_reset() in system/runstate.c: once the accelerator has made a new VM for a TD, of whatever host.
    says: /^info: virtual machine state has been rebuilt with new guest file handle\.$/,
    change: typing(['system_reset']),
  },
  {
    name: 'four at once',
    tds: 4,
    inCi: true,
    change: (command) => ({ command: ['sh', '-c', fourAtOnce, 'sh', ...command] }),
  },
];
