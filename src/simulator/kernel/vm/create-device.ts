/**
 * KVM_CREATE_DEVICE has one device on x86, which is VFIO's. It needs groups of the host, and this host
 * has none to give: its kernel is built without CONFIG_KVM_VFIO.
 */
import type { Answer, CreateDeviceStruct, UserStruct } from '../../interface.ts';
import { refuse } from '../answer.ts';

export function createDevice(user: UserStruct<CreateDeviceStruct>): Answer {
  return refuse(user.read() === undefined ? 'argument.unreadable' : 'create-device.unknown');
}
