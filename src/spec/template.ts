/** The file that `tdctl init` writes. */

export interface TemplateOptions {
  /** `metadata.name`. */
  readonly name: string;
  /** The path as `spec.firmware` is to say it. */
  readonly firmware: string;
  /** The reference in the line that tells editors the schema; the line is left out without it. */
  readonly schema: string | undefined;
  readonly engine: 'builtin' | 'qemu';
}

export function trustDomainTemplate({ name, firmware, schema, engine }: TemplateOptions): string {
  const modeline = schema === undefined ? '' : `# yaml-language-server: $schema=${schema}\n`;
  return `${modeline}${body(yamlText(name), JSON.stringify(firmware), parts[engine])}`;
}

/** What differs between the engines. */
interface Parts {
  readonly engine: string;
  readonly vcpus: string;
  readonly firmware: string;
  readonly guest: string;
  readonly xfam: string;
}

/** Quotes what YAML would read as something else than text: `123`, `1e3`, `null`. */
function yamlText(label: string): string {
  const isPlain = /^[a-z]/.test(label) && !['null', 'true', 'false'].includes(label);
  return isPlain ? label : JSON.stringify(label);
}

// What is commented out shows the default, or an example where the default is "none".
const builtin: Parts = {
  engine: `\
  # Who runs the TD: builtin, or qemu for disks, networks and devices (tdctl init --engine qemu).
  # engine: builtin

`,
  vcpus: `\
  # vCPUs that start with the TD. None can be added once it is built, so if more may be wanted
  # later, maxVcpus are created now and the rest stay offline (each costs memory).
  vcpus: 2
  # maxVcpus: 2
`,
  firmware: `\
  # A TDVF image, relative to this file; { path: OVMF_CODE.fd, vars: OVMF_VARS.fd } where code and
  # variables are two files.
`,
  guest: `\
  # A kernel that the VM starts in place of the firmware, on the host soft alone.
  # boot:
  #   kernel: vmlinuz
  #   initrd: initrd.img
  #   cmdline: console=ttyS0

  # Where the guest's serial port goes: stdio, { file: guest.log } or { socket: guest.sock }.
  # Default: nowhere.
  # console: stdio

  # The host's quote generation service, on the host kvm alone: unix:PATH or vsock:CID:PORT.
  # quotes: { socket: 'unix:/var/run/tdx-qgs/qgs.socket' }
`,
  xfam: `\
  # Extended CPU state: x87, sse, avx, avx512, pt, pkru, cet, uintr, lbr, amx; or 0x7.
  # Default: all that the host supports.
  # xfam: [x87, sse, avx]

`,
};

const qemu: Parts = {
  engine: `\
  # QEMU 10.1 or later runs the TD, and tdctl plans, starts and keeps it.
  engine: qemu

`,
  vcpus: `\
  # vCPUs. None can be added once the TD is built.
  vcpus: 2
`,
  firmware: `\
  # A TDVF image in one file, relative to this file.
`,
  guest: `\
  # A kernel that the firmware measures and starts. Default: what the first disk brings along.
  # boot:
  #   kernel: vmlinuz
  #   initrd: initrd.img
  #   cmdline: console=ttyS0 root=/dev/vda1

  # Disks, as /dev/vda and so on: path, format (raw, qcow2), readOnly, serial, discard, aio.
  # disks:
  #   - path: root.qcow2
  #     format: qcow2

  # Network cards: user with forwarded ports ([udp:][ADDRESS:]HOST:GUEST), tap, bridge or vhostUser; mac, queues.
  networks:
    - user: {}
    # - user: { forward: ['2222:22'] }
    # - tap: tap0

  # How the host reaches the guest by AF_VSOCK: a number from 3 on, or auto.
  # vsock: auto

  # Devices of the host that are bound to vfio-pci.
  # devices:
  #   - vfio: '0000:17:00.0'

  # Where the guest's serial port goes besides \`tdctl console\`: a file, a UNIX socket, or both.
  # console: { log: guest.log, socket: guest.sock }

  # The host's quote generation service: unix:PATH or vsock:CID:PORT.
  # quotes: { socket: 'unix:/var/run/tdx-qgs/qgs.socket' }

  # When the guest reboots: restart (a new TD, once the key slot is free) or stop. When it panics: stop or keep.
  # onReboot: restart
  # onPanic: stop

  # Which QEMU, and words that follow those of tdctl on its command line.
  # qemu:
  #   binary: qemu-system-x86_64
  #   extraArgs: [-device, virtio-rng-pci]
`,
  xfam: '',
};

const parts: Readonly<Record<TemplateOptions['engine'], Parts>> = { builtin, qemu };

const body = (name: string, firmware: string, part: Parts) => `\
# A trust domain. docs/spec.md of tdctl explains every field.
apiVersion: tdctl.io/v1alpha1
kind: TrustDomain
metadata:
  name: ${name}
spec:
${part.engine}${part.vcpus}
  # KiB, MiB, GiB or TiB (powers of 1024); a multiple of 4KiB.
  memory: 512MiB

${part.firmware}  firmware: ${firmware}

${part.guest}
  # debug, icssd, lass, migratable, perfmon, pks, pmt-prof, sept-ve-disable, tpa; or 0x10000000.
  # Linux guests need sept-ve-disable.
  # attributes: [sept-ve-disable]

${part.xfam}  # Frequency of the guest TSC, a multiple of 25MHz. Default: that of the host.
  # tsc: 1.5GHz

  # Guest physical address width: 48, or 52 on hosts with 5-level EPT.
  # gpaw: 48

  # 48 bytes each, copied into every attestation report: 96 hex digits or base64. Default: zero.
  # identity:
  #   mrConfigId: "${'00'.repeat(48)}"
  #   mrOwner: "${'00'.repeat(48)}"
  #   mrOwnerConfig: "${'00'.repeat(48)}"

  # The MRTD that the TD must have (see: tdctl measure), and the order of measuring: page or section.
  # measurement:
  #   expect: "${'00'.repeat(48)}"
  #   order: page
`;
