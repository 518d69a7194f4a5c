import { replaced, without } from './orders.ts';
import type { KernelAbi } from './record.ts';
import { upstream73 } from './upstream-7.3.ts';

const { checks } = upstream73;

export const postedInplaceConversion: KernelAbi = {
  ...upstream73,
  name: 'posted-inplace-conversion',
  description: 'each guest_memfd holds private and shared pages, and is asked to convert them',
  source:
    'Linux 7.3 and "guest_memfd: In-place conversion support", v8, Ackerley Tng, 18 June 2026, 20260618-gmem-inplace-conversion-v8-*@google.com',
  unconfirmed: [
    'the number of KVM_CAP_GUEST_MEMFD_MEMORY_ATTRIBUTES: 250 as posted, which Linux 7.3 has given to a capability of PowerPC since',
    'the build: without CONFIG_KVM_VM_MEMORY_ATTRIBUTES and with gmem_in_place_conversion on, the defaults of the series, so that KVM_SET_MEMORY_ATTRIBUTES is not there',
    'what the series does not touch: that of Linux 7.3, on which it was not posted; for source_addr 0 its base gives EOPNOTSUPP late, where Linux 7.3 gives EINVAL at once',
    'a page that source_addr 0 names and nobody has written: it is added as zeros; its review asks for an error, or for a flag of its own',
  ],
  checks: {
    ...checks,
    KVM_CREATE_GUEST_MEMFD: replaced(
      checks.KVM_CREATE_GUEST_MEMFD,
      'create-guest-memfd.flags',
      'create-guest-memfd.unknown-flag',
    ),
    KVM_SET_MEMORY_ATTRIBUTES: ['vm.other-process', 'vm.dead', 'request.unknown-on-vm'],
    // A guest_memfd asks neither who its caller is, nor whether its VM lives.
    KVM_SET_MEMORY_ATTRIBUTES2: [
      'argument.unreadable',
      'memory-attributes2.flags',
      'memory-attributes2.reserved',
      'memory-attributes2.no-private-memory',
      'memory-attributes2.unsupported',
      'memory-attributes2.range',
      'memory-attributes2.unaligned',
      'memory-attributes2.beyond-file',
      'kernel.no-memory',
      'memory-attributes2.page-in-use',
      'memory-attributes2.unwritable',
    ],
    KVM_TDX_INIT_MEM_REGION: without(checks.KVM_TDX_INIT_MEM_REGION, 'init-mem-region.source-zero'),
  },
  // A page is private only where an open guest_memfd says so.
  unreachable: [...upstream73.unreachable, 'pre-fault.no-memfd', 'pre-fault.private-without-slot'],
  memory: { ...upstream73.memory, attributesOf: 'each guest_memfd' },
};
