import { KVM_HC_MAP_GPA_RANGE } from '../abi/kvm/exits.ts';
import type { EnableCap } from './port.ts';

/** Without it KVM refuses MapGPA by itself, and a TD could share no memory with its VMM. */
export const exitsOfMapGpa: EnableCap = {
  capability: 'KVM_CAP_EXIT_HYPERCALL',
  args: [1n << KVM_HC_MAP_GPA_RANGE],
};
