/** Decoders by kind of file and ioctl number. */
import { type IoctlName, ioctlNumbers } from '../../../abi/kvm/requests.ts';
import type { FileKind } from '../client-call.ts';
import type { Decoder, DecoderTable } from './decoder.ts';
import { deviceDecoders } from './device.ts';
import { systemDecoders } from './system.ts';
import { vcpuDecoders } from './vcpu.ts';
import { vmDecoders } from './vm.ts';

const tables: Readonly<Record<FileKind, ReadonlyMap<number, Decoder>>> = {
  system: byNumber(systemDecoders),
  vm: byNumber(vmDecoders),
  vcpu: byNumber(vcpuDecoders),
  guest_memfd: new Map(),
  stats: new Map(),
  device: byNumber(deviceDecoders),
};

export function decoderOf(file: FileKind, number: number): Decoder | undefined {
  return tables[file].get(number);
}

function byNumber(table: DecoderTable): ReadonlyMap<number, Decoder> {
  return new Map(
    Object.entries(table).map(([name, decoder]) => [ioctlNumbers[name as IoctlName], decoder]),
  );
}
