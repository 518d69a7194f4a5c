/**
 * KVM_MEMORY_ENCRYPT_OP. Which command it is decides the request, so its id is read here; the kernel
 * model reads the whole command by itself, at its own time. Whether the kernel knows the command, and on
 * which file, is for the model to say.
 */
import { type TdxCommandName, tdxCommands } from '../../../abi/kvm/requests.ts';
import type { TdxRequest } from '../../../simulator/index.ts';
import type { ClientCall } from '../index.ts';
import { initVmInMemory } from '../init-vm.ts';
import { structs } from '../structs.ts';
import {
  CapabilitiesInMemory,
  CpuidInMemory,
  Place,
  StructInMemory,
  TdxCommandInMemory,
} from '../user-structs.ts';

type CommandDecoder = (cmd: TdxCommandInMemory, call: ClientCall) => TdxRequest;

const commands: Readonly<Record<TdxCommandName, CommandDecoder>> = {
  KVM_TDX_CAPABILITIES: (cmd) => ({
    request: 'KVM_TDX_CAPABILITIES',
    cmd,
    data: new CapabilitiesInMemory(cmd.data),
  }),
  KVM_TDX_INIT_VM: (cmd, { kernelAbi }) => ({
    request: 'KVM_TDX_INIT_VM',
    cmd,
    data: initVmInMemory(cmd.data, kernelAbi.initVm.struct),
  }),
  KVM_TDX_INIT_VCPU: (cmd) => ({ request: 'KVM_TDX_INIT_VCPU', cmd }),
  KVM_TDX_INIT_MEM_REGION: (cmd) => ({
    request: 'KVM_TDX_INIT_MEM_REGION',
    cmd,
    data: new StructInMemory(cmd.data, structs.kvm_tdx_init_mem_region),
  }),
  KVM_TDX_FINALIZE_VM: (cmd) => ({ request: 'KVM_TDX_FINALIZE_VM', cmd }),
  KVM_TDX_GET_CPUID: (cmd) => ({
    request: 'KVM_TDX_GET_CPUID',
    cmd,
    data: new CpuidInMemory(cmd.data),
  }),
  KVM_TDX_TERMINATE_VM: (cmd) => ({ request: 'KVM_TDX_TERMINATE_VM', cmd }),
};

const commandNames = new Map<number, TdxCommandName>(
  Object.entries(tdxCommands).map(([name, id]) => [id, name as TdxCommandName]),
);

export function tdxCommand(call: ClientCall): TdxRequest {
  const cmd = new TdxCommandInMemory(call.memory, call.arg);
  const id = new Place(call.memory, call.arg).readU32(structs.kvm_tdx_cmd.fields.id[0]);
  const name = id === undefined ? undefined : commandNames.get(id);
  return name === undefined ? { request: 'KVM_MEMORY_ENCRYPT_OP', cmd } : commands[name](cmd, call);
}
