/** The file that `tdctl init` writes. */

export interface TemplateOptions {
  /** `metadata.name`. */
  readonly name: string;
  /** The path as `spec.firmware` is to say it. */
  readonly firmware: string;
  /** The reference in the line that tells editors the schema; the line is left out without it. */
  readonly schema: string | undefined;
}

export function trustDomainTemplate({ name, firmware, schema }: TemplateOptions): string {
  const modeline = schema === undefined ? '' : `# yaml-language-server: $schema=${schema}\n`;
  return `${modeline}${body(yamlText(name), JSON.stringify(firmware))}`;
}

/** Quotes what YAML would read as something else than text: `123`, `1e3`, `null`. */
function yamlText(label: string): string {
  const isPlain = /^[a-z]/.test(label) && !['null', 'true', 'false'].includes(label);
  return isPlain ? label : JSON.stringify(label);
}

// What is commented out shows the default, or an example where the default is "none".
const body = (name: string, firmware: string) => `\
# A trust domain. docs/spec.md of tdctl explains every field.
apiVersion: tdctl.io/v1alpha1
kind: TrustDomain
metadata:
  name: ${name}
spec:
  # vCPUs that start with the TD. None can be added once it is built, so if more may be wanted
  # later, maxVcpus are created now and the rest stay offline (each costs memory).
  vcpus: 2
  # maxVcpus: 2

  # KiB, MiB, GiB or TiB (powers of 1024); a multiple of 4KiB.
  memory: 512MiB

  # A TDVF image, relative to this file; { path: OVMF_CODE.fd, vars: OVMF_VARS.fd } where code and
  # variables are two files.
  firmware: ${firmware}

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

  # debug, icssd, lass, migratable, perfmon, pks, pmt-prof, sept-ve-disable, tpa; or 0x10000000.
  # Linux guests need sept-ve-disable.
  # attributes: [sept-ve-disable]

  # Extended CPU state: x87, sse, avx, avx512, pt, pkru, cet, uintr, lbr, amx; or 0x7.
  # Default: all that the host supports.
  # xfam: [x87, sse, avx]

  # Frequency of the guest TSC, a multiple of 25MHz. Default: that of the host.
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
