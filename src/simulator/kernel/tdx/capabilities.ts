/** KVM_TDX_CAPABILITIES (kernel-abi 2.4 and 7.1). Legal in every TD state. */

import type { CpuidEntry } from '../../../abi/kvm/structs.ts';
import type { ConfigurableLeaf } from '../../../abi/tdx/cpuid-config.ts';
import type { Answer, TdxCommandStruct, UserCapabilities } from '../../interface.ts';
import { done, refuse } from '../answer.ts';
import { faultAt } from '../kernel.ts';
import type { TdContext } from './context.ts';

/** User space may answer SetupEventNotifyInterrupt. */
const setupEventNotify = 1n << 1n;

export function tdxCapabilities(
  { kernel, tdx }: TdContext,
  cmd: TdxCommandStruct,
  user: UserCapabilities,
): Answer {
  // 4-7, in this kernel's order
  let nent: number | undefined;
  for (const check of kernel.abi.tdxDispatch.capabilitiesChecks) {
    switch (check) {
      case 'flags':
        if (cmd.flags !== 0) return refuse('EINVAL');
        break;
      case 'nent':
        nent = user.readNent();
        if (nent === undefined) return refuse('EFAULT');
        break;
      case 'size':
        if ((nent ?? 0) < tdx.configurableCpuid.length) return refuse('E2BIG');
        break;
      case 'allocate': {
        const fault = faultAt(kernel, 'KVM_TDX_CAPABILITIES: allocate');
        if (fault !== undefined) return fault;
        break;
      }
    }
  }
  // 8†: no supported attributes or XFAM, EIO: bring-up refuses such a host
  // 9
  const written = user.write({
    supportedAttributes: tdx.supportedAttributes,
    supportedXfam: tdx.supportedXfam,
    userTdvmcallInfo1R11: setupEventNotify,
    cpuid: tdx.configurableCpuid.map(asEntry),
  });
  return written ? done : refuse('EFAULT');
}

/** A leaf without subleaves has index 0 here, and no entry has flags. */
function asEntry(leaf: ConfigurableLeaf): CpuidEntry {
  const { eax, ebx, ecx, edx } = leaf;
  return { function: leaf.leaf, index: leaf.subleaf ?? 0, flags: 0, eax, ebx, ecx, edx };
}
