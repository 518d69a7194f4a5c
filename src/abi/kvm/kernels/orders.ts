/** How a kernel record says where its checks differ from another's. */
import type { CheckName, CheckOrder } from '../checks/index.ts';

/**
 * The order with one check replaced: by nothing, by others, or by itself with others around it.
 * @throws Error where the order does not have the check: the record would say nothing.
 */
export function replaced(order: CheckOrder, check: CheckName, ...by: CheckName[]): CheckOrder {
  if (!order.includes(check)) throw new Error(`the order has no check ${check} to replace`);
  return order.flatMap((each) => (each === check ? by : [each]));
}

/** The order without some checks. */
export function without(order: CheckOrder, ...checks: CheckName[]): CheckOrder {
  return checks.reduce((rest, check) => replaced(rest, check), order);
}

/**
 * KVM_SET_USER_MEMORY_REGION2 of a kernel whose kvm_gmem_bind() does all there is to do with the
 * guest_memfd before anything else of the slot is made.
 */
export function bindingAtOnce(order: CheckOrder): CheckOrder {
  return replaced(
    without(order, 'memory-region.memfd-taken'),
    'memory-region.address-range',
    'memory-region.memfd-taken',
    'memory-region.address-range',
  );
}
