/**
 * Finds what the kernel log says of TDX. There are two generations of messages: `virt/tdx: module
 * initialized` (with `tdx:` alone before 6.7), and `virt/tdx: TDX-Module initialized` in Linux 7.3.
 * Source: arch/x86/virt/vmx/tdx/tdx.c, arch/x86/kvm/vmx/tdx.c; logs in public bug reports.
 */

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
  /** The leaf number; undefined where the line names the leaf only by its C name. */
  readonly leaf: number | undefined;
  readonly status: bigint;
  readonly line: string;
}

const prefix = String.raw`(?:virt\/)?tdx: (?:\[firmware bug\]: )?`;
const line = (pattern: string) => new RegExp(pattern, 'i');

/** These findings are just a line. The last one counts, since a module may be loaded again. */
const plainFindings = {
  tooFewKeyIds: line(`${prefix}(?:initialization failed: )?too few private KeyIDs`),
  hibernation: line(`${prefix}initialization failed: Hibernation support is enabled`),
  notEnabledByBios: line(
    `${prefix}(?:TDX is )?not enabled by BIOS|Cannot enable TDX on TDX disabled`,
  ),
  moduleNotLoaded: line(`${prefix}(?:TDX )?module (?:is )?not loaded`),
  initialized: line(`${prefix}(?:TDX[- ])?module initialized`),
  initializationFailed: line(`${prefix}(?:(?:TDX[- ])?module )?initialization failed`),
  reservedAreas: line('reserved areas exhausted'),
  kvmRefusal: line(
    '(?:kvm_intel|kvm): (?:tdx: )?(?:.* (?:is|are) re(?:quire|qiure)d for TDX|tdx requires .*|.*no TDX private KeyIDs)',
  ),
  memoryEncryptionOff: line('x86/(?:tme|mktme): (?:not enabled|disabled) by BIOS'),
} as const;

type PlainFinding = keyof typeof plainFindings;

export function findInLog(lines: readonly string[]): LogFindings {
  return {
    ...plain(lines),
    ...last('keyIdRange', lines, /private KeyID range \[(\d+), ?(\d+)\)/i, ([, a, b], text) => ({
      first: Number(a),
      end: Number(b),
      line: text,
    })),
    ...moduleVersion(lines),
    ...last('pamtKib', lines, /tdx: (\d+) KBs? allocated for PAMT/i, ([, kib], text) => ({
      kib: Number(kib),
      line: text,
    })),
    ...last(
      'vcpuLimit',
      lines,
      /MAX_VCPUS?_PER_TD \((\d+)\) smaller than number of logical CPUs \((\d+)\)/i,
      ([, module, cpus], text) => ({ module: Number(module), cpus: Number(cpus), line: text }),
    ),
    ...last(
      'tscKhz',
      lines,
      /tsc: (?:Detected|Refined TSC clocksource calibration:?) (\d+)\.(\d{3}) MHz/,
      ([, mhz, khz]) => Number(mhz) * 1000 + Number(khz),
    ),
    seamcallFailures: lines.flatMap(seamcallFailure),
    leakedHkids: lines.flatMap((text) => {
      const hkid = /HKID (\d+) is leaked/i.exec(text)?.[1];
      return hkid === undefined ? [] : [{ hkid: Number(hkid), line: text }];
    }),
  };
}

function plain(lines: readonly string[]): Partial<Record<PlainFinding, string>> {
  const found: Partial<Record<PlainFinding, string>> = {};
  for (const text of lines) {
    for (const name of Object.keys(plainFindings) as PlainFinding[]) {
      if (plainFindings[name].test(text)) found[name] = text;
    }
  }
  return found;
}

function last<Name extends string, Value>(
  name: Name,
  lines: readonly string[],
  pattern: RegExp,
  value: (match: RegExpExecArray, line: string) => Value,
): { readonly [key in Name]?: Value } {
  const found = lines.findLast((text) => pattern.test(text));
  const match = found === undefined ? null : pattern.exec(found);
  if (found === undefined || match === null) return {};
  return { [name]: value(match, found) } as { [key in Name]: Value };
}

/** Reads `Module version: 1.5.24`, and the older `major_version 1, minor_version 5`. */
function moduleVersion(lines: readonly string[]): Pick<LogFindings, 'moduleVersion'> {
  const asText = last(
    'moduleVersion',
    lines,
    /tdx: (?:TDX )?module ver(?:s|si)on: (\d+\.\d+\.\d+)/i,
    ([, version = ''], text) => ({ version, line: text }),
  );
  if (asText.moduleVersion) return asText;
  return last(
    'moduleVersion',
    lines,
    /major_version (\d+), minor_version (\d+)/i,
    ([, major, minor], text) => ({ version: `${major}.${minor}`, line: text }),
  );
}

/**
 * Reads `SEAMCALL (0x22) failed: 0xc0...`, `SEAMCALL failed: CPU 94: leaf 33, error 0xc0...`, and
 * KVM's `SEAMCALL TDH_MNG_INIT failed: 0xc0...`.
 */
function seamcallFailure(text: string): SeamcallFailure[] {
  const match = /SEAMCALL\b(.*?)(?:failed:|error)\D*?(?:.*error )?(0x[0-9a-f]{9,16})\b/i.exec(text);
  if (match === null) return [];
  const [, middle = '', status = '0x0'] = match;
  const hex = /\((?:0x)?([0-9a-f]+)\)/i.exec(middle)?.[1];
  const decimal = /leaf (\d+)/i.exec(text)?.[1];
  const leaf =
    hex !== undefined
      ? Number.parseInt(hex, 16)
      : decimal !== undefined
        ? Number(decimal)
        : undefined;
  return [{ leaf, status: BigInt(status), line: text }];
}
