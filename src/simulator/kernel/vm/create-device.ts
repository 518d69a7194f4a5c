/**
 * KVM_CREATE_DEVICE. Of the devices that x86 has, VFIO's needs groups of the host, and this host has
 * none to give: it is one without CONFIG_KVM_VFIO.
 */
import type { Answer, CreateDeviceStruct, UserStruct } from '../../interface.ts';
import { refuse } from '../answer.ts';

export function createDevice(user: UserStruct<CreateDeviceStruct>): Answer {
  return refuse(user.read() === undefined ? 'argument.unreadable' : 'create-device.unknown');
}
