/**
 * Finds what the kernel log says of TDX, by the table of messages of `tdctl explain`: what a line means is
 * written there once. Here stands only which messages the checks ask for.
 */
import { findInLine, type LineFinding, moduleInitialization } from '../explain/index.ts';

export interface LogFindings {
  /** Each finding has the line that it was taken from. */
  readonly keyIdRange?: { readonly first: number; readonly end: number; readonly line: string };
  readonly tooFewKeyIds?: string;
  readonly hibernation?: string;
  readonly notEnabledByBios?: string;
  readonly moduleNotLoaded?: string;
  readonly moduleVersion?: { readonly version: string; readonly line: string };
  readonly initialized?: string;
  readonly initializationFailed?: string;
  readonly reservedAreas?: string;
  readonly pamtKib?: { readonly kib: number; readonly line: string };
  readonly vcpuLimit?: { readonly module: number; readonly cpus: number; readonly line: string };
  readonly kvmRefusal?: string;
  readonly memoryEncryptionOff?: string;
  readonly seamcallFailures: readonly SeamcallFailure[];
  readonly leakedHkids: readonly { readonly hkid: number; readonly line: string }[];
  readonly tscKhz?: number;
}

export interface SeamcallFailure {
  /** The leaf number; undefined where the line does not name the leaf. */
  readonly leaf: number | undefined;
  readonly status: bigint;
  readonly line: string;
}

type Single = Omit<LogFindings, 'seamcallFailures' | 'leakedHkids'>;

/** The findings that are just a line, by the id of the answer to it. */
const plainFindings: Readonly<Record<string, keyof Single>> = {
  'bios.too-few-key-ids': 'tooFewKeyIds',
  'kernel.hibernation-enabled': 'hibernation',
  'bios.tdx-not-enabled': 'notEnabledByBios',
  'module.not-loaded': 'moduleNotLoaded',
  'host.module-initialized': 'initialized',
  'module-init.reserved-areas-exhausted': 'reservedAreas',
  'bios.tme-off': 'memoryEncryptionOff',
  'kvm.feature-missing': 'kvmRefusal',
  'kvm.tdp-mmu-off': 'kvmRefusal',
  'kvm.virt-at-load-off': 'kvmRefusal',
  'kvm.no-key-ids': 'kvmRefusal',
  'kvm.no-tdx-platform': 'kvmRefusal',
};

/** These too are initialisations that failed, besides the errno that the kernel ends with. */
const failedBefore: ReadonlySet<string> = new Set([
  'bios.too-few-key-ids',
  'kernel.hibernation-enabled',
  'kernel.memory-notifier',
  'module-init.reserved-areas-exhausted',
]);

const leaked = 'kvm.key-slot-leaked';

type Values = Readonly<Record<string, string>>;

/** The findings with values in them. */
const valueFindings: Readonly<Record<string, (values: Values, line: string) => Single>> = {
  'host.bios-enabled': ({ first, end }, line) => ({
    keyIdRange: { first: Number(first), end: Number(end), line },
  }),
  'host.module-version': ({ version, major, minor }, line) => ({
    moduleVersion: { version: version ?? `${major}.${minor}`, line },
  }),
  'module.release-1-0': (_, line) => ({ moduleVersion: { version: '1.0', line } }),
  'host.pamt-allocated': ({ kib }, line) => ({ pamtKib: { kib: Number(kib), line } }),
  'kvm.cpus-above-module-limit': ({ module, cpus }, line) => ({
    vcpuLimit: { module: Number(module), cpus: Number(cpus), line },
  }),
  'tsc-frequency': ({ mhz, khz }) => ({ tscKhz: Number(mhz) * 1000 + Number(khz) }),
};

/** Ids of answers, and names of messages without one. */
export const askedMessages: readonly string[] = [
  ...Object.keys(plainFindings),
  ...Object.keys(valueFindings),
  leaked,
];

/** The last line that says something counts, since a module may be loaded again. */
export function findInLog(lines: readonly string[]): LogFindings {
  let single: Single = {};
  const seamcallFailures: SeamcallFailure[] = [];
  const leakedHkids: { hkid: number; line: string }[] = [];
  for (const line of lines) {
    for (const finding of findInLine(line)) {
      const { status, values, answer } = finding;
      single = { ...single, ...singleOf(finding, line) };
      if (answer?.id === leaked) leakedHkids.push({ hkid: Number(values?.hkid), line });
      if (status !== undefined)
        seamcallFailures.push({
          leaf: leafNumber(status.leaf?.number),
          status: status.decoded.word,
          line,
        });
    }
  }
  return { ...single, seamcallFailures, leakedHkids };
}

function singleOf({ answer, message, values = {}, refusal }: LineFinding, line: string): Single {
  const id = answer?.id ?? message?.name ?? '';
  const isFailure = refusal?.request === moduleInitialization || failedBefore.has(id);
  const plain = plainFindings[id];
  return {
    ...(isFailure && { initializationFailed: line }),
    ...(plain && { [plain]: line }),
    ...valueFindings[id]?.(values, line),
  };
}

/** Above the number are its version and flags. */
function leafNumber(rax: bigint | undefined): number | undefined {
  return rax === undefined ? undefined : Number(rax & 0xffffn);
}
