/** The ioctls of a device that KVM_CREATE_DEVICE has made, as kvm_device_ioctl() has them. */
import type { VfioFileFact } from '../../../simulator/index.ts';
import type { ClientCall } from '../client-call.ts';
import { structs } from '../structs.ts';
import { mapped, u32InMemory, u64InMemory } from '../user-structs.ts';
import { type DecoderTable, pointee, structOf } from './decoder.ts';

export const deviceDecoders: DecoderTable = {
  KVM_SET_DEVICE_ATTR: (call) => ({ request: 'KVM_SET_DEVICE_ATTR', ...attribute(call) }),
  KVM_GET_DEVICE_ATTR: (call) => ({ request: 'KVM_GET_DEVICE_ATTR', ...attribute(call) }),
  KVM_HAS_DEVICE_ATTR: (call) => ({ request: 'KVM_HAS_DEVICE_ATTR', ...attribute(call) }),
};

function attribute(call: ClientCall) {
  const struct = structOf(call, structs.kvm_device_attr);
  const value = pointee(call, struct, ({ addr }) => addr);
  return {
    attr: mapped(struct, ({ addr: _, ...attr }) => attr),
    value: u64InMemory(value),
    file: mapped(
      u32InMemory(value),
      (fd): VfioFileFact => (call.fd(fd) === undefined ? 'not open' : 'another file'),
    ),
  };
}
