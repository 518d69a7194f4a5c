/** KVM_TDX_CAPABILITIES follows tdx_get_capabilities(). It is legal in every TD state. */

import type { CpuidEntry } from '../../../abi/kvm/structs.ts';
import type { ConfigurableLeaf } from '../../../abi/tdx/cpuid/td-cpuid.ts';
import type { Answer, CapabilitiesStruct, UserCapabilities } from '../../interface.ts';
import { oncePer } from '../../once-per.ts';
import { done } from '../answer.ts';
import { CopiedIn, faultStep, firstRefusal, type Steps } from '../checks.ts';
import type { TdxSupport } from '../kernel.ts';
import { vmCommandSteps } from './command.ts';
import type { TdCommand } from './context.ts';

/** The bit means that user space may answer SetupEventNotifyInterrupt. */
const setupEventNotify = 1n << 1n;

interface CapabilitiesCall extends TdCommand {
  readonly user: UserCapabilities;
  readonly nent: CopiedIn<number>;
}

const steps: Steps<CapabilitiesCall> = {
  ...vmCommandSteps,
  'capabilities.flags': ({ cmd }) => cmd.value.flags !== 0,
  'capabilities.nent-unreadable': ({ nent }) => nent.fails(),
  'capabilities.buffer-too-small': ({ nent, tdx }) => nent.value < tdx.configurableCpuid.length,
  'capabilities.no-memory': faultStep('capabilities.no-memory', 'KVM_TDX_CAPABILITIES: allocate'),
  'capabilities.unwritable': ({ user, tdx }) => !user.write(capabilitiesOf(tdx)),
};

export function tdxCapabilities(command: TdCommand, user: UserCapabilities): Answer {
  const { kernel, tdx, vm, td, caller, cmd } = command;
  const nent = new CopiedIn(() => user.readNent());
  const call = { kernel, tdx, vm, td, caller, cmd, user, nent };
  return firstRefusal(kernel, 'KVM_TDX_CAPABILITIES', { steps, call }) ?? done;
}

function capabilitiesOf(tdx: TdxSupport): CapabilitiesStruct {
  return {
    supportedAttributes: tdx.supportedAttributes,
    supportedXfam: tdx.supportedXfam,
    userTdvmcallInfo1R11: setupEventNotify,
    cpuid: asEntries(tdx.configurableCpuid),
  };
}

const asEntries = oncePer((leaves: TdxSupport['configurableCpuid']) => leaves.map(asEntry));

/** A leaf without subleaves has index 0 here, and no entry has flags. */
function asEntry(leaf: ConfigurableLeaf): CpuidEntry {
  const { eax, ebx, ecx, edx } = leaf;
  return { function: leaf.leaf, index: leaf.subleaf ?? 0, flags: 0, eax, ebx, ecx, edx };
}
