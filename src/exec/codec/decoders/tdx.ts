/**
 * KVM_MEMORY_ENCRYPT_OP. Which command it is decides the request, so its id is read here; the kernel
 * model reads the whole command by itself, at its own time. Whether the kernel knows the command, and on
 * which file, is for the model to say.
 */
import { type TdxCommandName, tdxCommands } from '../../../abi/kvm/requests.ts';
import type { TdxRequest } from '../../../simulator/index.ts';
import type { ClientCall } from '../client-call.ts';
import { capabilitiesInMemory, cpuidInMemory } from '../cpuid.ts';
import { initVmInMemory } from '../init-vm.ts';
import type { Place } from '../place.ts';
import { structs } from '../structs.ts';
import { StructInMemory } from '../user-structs.ts';
import { argument, pointee, structOf } from './decoder.ts';

interface Command {
  readonly call: ClientCall;
  readonly cmd: StructInMemory<typeof structs.kvm_tdx_cmd.fields>;
  /** Where `cmd.data` points to. */
  readonly data: Place;
}

const commands: Readonly<Record<TdxCommandName, (command: Command) => TdxRequest>> = {
  KVM_TDX_CAPABILITIES: ({ cmd, data }) => ({
    request: 'KVM_TDX_CAPABILITIES',
    cmd,
    data: capabilitiesInMemory(data),
  }),
  KVM_TDX_INIT_VM: ({ cmd, data, call }) => ({
    request: 'KVM_TDX_INIT_VM',
    cmd,
    data: initVmInMemory(data, call.kernelAbi.initVm.struct),
  }),
  KVM_TDX_INIT_VCPU: ({ cmd }) => ({ request: 'KVM_TDX_INIT_VCPU', cmd }),
  KVM_TDX_INIT_MEM_REGION: ({ cmd, data }) => ({
    request: 'KVM_TDX_INIT_MEM_REGION',
    cmd,
    data: new StructInMemory(data, structs.kvm_tdx_init_mem_region),
  }),
  KVM_TDX_FINALIZE_VM: ({ cmd }) => ({ request: 'KVM_TDX_FINALIZE_VM', cmd }),
  KVM_TDX_GET_CPUID: ({ cmd, data }) => ({
    request: 'KVM_TDX_GET_CPUID',
    cmd,
    data: cpuidInMemory(data),
  }),
  KVM_TDX_TERMINATE_VM: ({ cmd }) => ({ request: 'KVM_TDX_TERMINATE_VM', cmd }),
};

const commandNames = new Map<number, TdxCommandName>(
  Object.entries(tdxCommands).map(([name, id]) => [id, name as TdxCommandName]),
);

export function tdxCommand(call: ClientCall): TdxRequest {
  const cmd = structOf(call, structs.kvm_tdx_cmd);
  const id = argument(call).readU32(structs.kvm_tdx_cmd.fields.id[0]);
  const name = id === undefined ? undefined : commandNames.get(id);
  if (name === undefined) return { request: 'KVM_MEMORY_ENCRYPT_OP', cmd };
  return commands[name]({ call, cmd, data: pointee(call, cmd, ({ data }) => data) });
}
