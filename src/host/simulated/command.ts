import { tdxCommands } from '../../abi/kvm/requests.ts';
import { StructValue, type TdxCommandStruct } from '../../simulator/index.ts';

/** `struct kvm_tdx_cmd`. Where `data` is an address, as for most commands, nothing looks at it. */
export function command(
  name: keyof typeof tdxCommands,
  options: { readonly flags?: number; readonly data?: bigint } = {},
): StructValue<TdxCommandStruct> {
  const { flags = 0, data = 0n } = options;
  return new StructValue({ id: tdxCommands[name], flags, data, hwError: 0n });
}
