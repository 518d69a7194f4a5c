/** `tdctl footprint --host-memory`: what page metadata (PAMT) takes of a host, static and dynamic. */
import { parseBytes, roundedBytes } from '../../documents/quantity.ts';
import { TdctlError } from '../../errors/index.ts';
import { pamtSaving } from '../../plan/index.ts';
import { columns } from '../output/table.ts';

export interface HostMemoryOptions {
  readonly hostMemory?: string | undefined;
  readonly tdMemory?: string | undefined;
}

export type PamtView = ReturnType<typeof pamtSaving> & { readonly tdMemoryBytes: bigint };

/**
 * Undefined: the command line names no host.
 * @throws TdctlError TDCTL_E_USAGE naming the option that is wrong.
 */
export function pamtOfOptions({ hostMemory, tdMemory }: HostMemoryOptions): PamtView | undefined {
  if (hostMemory === undefined) {
    if (tdMemory === undefined) return undefined;
    throw usage('--td-memory', 'it says how much of a host TDs use, and no host is named');
  }
  const hostBytes = sizeOf('--host-memory', hostMemory);
  const tdMemoryBytes = sizeOf('--td-memory', tdMemory ?? '0');
  if (hostBytes === 0n) throw usage('--host-memory', 'a host has some memory');
  if (tdMemoryBytes > hostBytes)
    throw usage('--td-memory', 'TDs have no more memory than their host');
  return { ...pamtSaving(hostBytes, tdMemoryBytes), tdMemoryBytes };
}

export function pamtText(pamt: PamtView, bold: (text: string) => string): string {
  const { hostMemoryBytes, tdMemoryBytes, staticBytes, dynamic, savedBytes } = pamt;
  const all = dynamic.fixedBytes + dynamic.counterBytes + dynamic.pairsBytes;
  return `${bold('Page metadata (PAMT)')} of a host with ${roundedBytes(hostMemoryBytes)}, ${roundedBytes(tdMemoryBytes)} of them in TDs\n${columns(
    [
      ['static', roundedBytes(staticBytes), 'for good, once TDX is enabled'],
      ['dynamic', roundedBytes(all), savedBytes < 0n ? 'more than static' : 'less than static'],
      [
        '  at once',
        roundedBytes(dynamic.fixedBytes),
        'a bit of each page; entries of 2 MiB, 1 GiB',
      ],
      ['  counters', roundedBytes(dynamic.counterBytes), 'of the kernel, one for each 2 MiB'],
      ['  pairs', roundedBytes(dynamic.pairsBytes), 'two pages for each 2 MiB in use, at least'],
      ['saved', savedBytes < 0n ? `-${roundedBytes(-savedBytes)}` : roundedBytes(savedBytes), ''],
    ],
  )}`;
}

function sizeOf(option: string, text: string): bigint {
  const size = parseBytes(text);
  if ('value' in size) return size.value;
  throw usage(option, size.problems.map((problem) => problem.text).join('; '));
}

function usage(place: string, message: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'compare footprints',
    place,
    message,
    hint: 'give sizes such as --host-memory 1TiB --td-memory 256GiB',
  });
}
