/** Finds the request in a line, however it is written. */
import { checkedRequests } from '../../../abi/kvm/checks/index.ts';
import { tdxCommands } from '../../../abi/kvm/requests.ts';
import { moduleInitialization, openDevKvm } from '../requests/host-requests.ts';
import { allRequestFacts } from '../requests/index.ts';

/** How programs speak of a request without naming it. */
const phrases: readonly (readonly [RegExp, string])[] = [
  [/\b(?:tdx|TDX-module):?\s*(?:module )?init(?:iali[sz]ation)? failed/i, moduleInitialization],
  [/VFIO_(IOMMU_)?MAP_DMA|vfio_(container_|legacy_)?dma_map/i, 'VFIO_IOMMU_MAP_DMA'],
  [/kvm run failed/i, 'KVM_RUN'],
  [/kvm_(get|create)_vcpu failed/i, 'KVM_CREATE_VCPU'],
  [/Unable to set TSC frequency/i, 'KVM_SET_TSC_KHZ'],
  [/create_guest_memfd|create guest_?memfd/i, 'KVM_CREATE_GUEST_MEMFD'],
  [/KVM.{0,20}failed to set memory .{0,60}attr/i, 'KVM_SET_MEMORY_ATTRIBUTES'],
];

/** What a person means by a word that in a log may be of anything. */
const typedPhrases: readonly (readonly [RegExp, string])[] = [
  ...phrases,
  [/module init(iali[sz]ation)? failed/i, moduleInitialization],
  [/\bVFIO\b/, 'VFIO_IOMMU_MAP_DMA'],
  [/\bfallocate\b/, 'fallocate'],
  [/failed to set memory .{0,60}attr/i, 'KVM_SET_MEMORY_ATTRIBUTES'],
];

const commandById = new Map(Object.entries(tdxCommands).map(([name, id]) => [id as number, name]));

/** `KVM_TDX_INIT_VM`, and `INIT_VM` where that cannot be taken for another word. */
const requestsByWord: ReadonlyMap<string, string> = new Map(
  [...checkedRequests, ...allRequestFacts.map(({ request }) => request)].flatMap((request) => {
    // It stands for all its commands: which one it was, the line does not say.
    if (request === 'KVM_MEMORY_ENCRYPT_OP') return [];
    const short = request.replace(/^KVM_(TDX_)?/, '');
    return [request, short]
      .filter((word) => /^[A-Z0-9]+(_[A-Z0-9]+)+$/.test(word))
      .map((word): [string, string] => [word, request]);
  }),
);

/** A line of a log that has none of these names no request. */
export const wordsOfRequests: readonly string[] = [
  ...[...requestsByWord.keys()].map((word) => word.toLowerCase()),
  'kvm',
  'tdx',
  'dma_map',
  'map_dma',
  'guest_memfd',
  'guestmemfd',
];

export interface Wanted {
  /** By a person, who may write a name in small letters or cut it short. */
  readonly typed: boolean;
}

export function requestIn(line: string, { typed }: Wanted): string | undefined {
  const capability = /\bKVM_CAP_[A-Z0-9_]+/i.exec(line)?.[0].toUpperCase();
  if (capability !== undefined) return `KVM_ENABLE_CAP(${capability})`;
  const phrase = (typed ? typedPhrases : phrases).find(([pattern]) => pattern.test(line));
  if (phrase) return phrase[1];
  for (const [word] of line.matchAll(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/gi)) {
    // `create_vm` is a function of many programs, which have nothing to do with KVM.
    if (!typed && word !== word.toUpperCase() && !/^kvm_/i.test(word)) continue;
    const request = requestsByWord.get(word.toUpperCase());
    if (request !== undefined) return request;
  }
  // QEMU before 10.1: "TDX ioctl 1 return with -22, hw_errors: 0x…".
  const id = /\bTDX ioctl (\d)\b/i.exec(line)?.[1];
  if (id !== undefined) return commandById.get(Number(id));
  return line.includes('/dev/kvm') ? openDevKvm : undefined;
}
