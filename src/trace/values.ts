/** The values of requests become values of a trace. */
import type { CpuidEntry } from '../abi/kvm/structs.ts';
import type { TraceArgs, TraceCpuidEntry, TraceValue } from './record.ts';

export function hex(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}

export function plainValue(value: unknown): TraceValue {
  if (typeof value === 'bigint') return hex(value);
  if (value instanceof Uint8Array) return bytesValue(value);
  if (Array.isArray(value)) return value.map(plainValue);
  if (typeof value === 'object' && value !== null) return plainFields(value);
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? value
    : null;
}

export function plainFields(fields: object): TraceArgs {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [kernelName(name), plainValue(value)]),
  );
}

/** The bytes are shown in full, because people compare measurements and owners by them. */
function bytesValue(bytes: Uint8Array): string {
  if (bytes.every((byte) => byte === 0)) return '0x0';
  return `0x${Buffer.from(bytes).toString('hex')}`;
}

export function cpuidValue(entries: readonly CpuidEntry[]): TraceCpuidEntry[] {
  return entries.map((entry) => ({
    function: hex(entry.function),
    index: entry.index,
    flags: entry.flags,
    eax: hex(entry.eax),
    ebx: hex(entry.ebx),
    ecx: hex(entry.ecx),
    edx: hex(entry.edx),
  }));
}

/** These names are the kernel's where it parts the words otherwise than we do. */
const kernelNames: Readonly<Record<string, string>> = {
  mrConfigId: 'mrconfigid',
  mrOwner: 'mrowner',
  mrOwnerConfig: 'mrownerconfig',
  supportedAttributes: 'supported_attrs',
  supportedXfam: 'supported_xfam',
  userTdvmcallInfo1R11: 'user_tdvmcallinfo_1_r11',
};

export function kernelName(name: string): string {
  return kernelNames[name] ?? name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
