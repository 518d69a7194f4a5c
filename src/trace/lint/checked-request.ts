/** A traced call as the book of checks names its request. */
import { type CheckedRequest, isCheckedRequest } from '../../abi/kvm/checks/index.ts';
import { requestWith } from '../../abi/kvm/requests.ts';
import type { CallRecord } from '../record.ts';

/** `KVM_ENABLE_CAP(KVM_CAP_SPLIT_IRQCHIP)`. */
export function requestName({ request, args }: CallRecord): string {
  const { cap } = args;
  return requestWith(request, enablesCap(request) && typeof cap === 'string' ? cap : undefined);
}

const fileKinds: Readonly<Record<string, string>> = { sys: '/dev/kvm', vcpu: 'a vCPU' };

/** undefined: the book has no rows of it. */
export function bookRequest(record: CallRecord): CheckedRequest | undefined {
  const [kind = ''] = record.object.split('#');
  const name = requestName(record);
  return [`${name} on ${fileKinds[kind]}`, name, record.request].find(isCheckedRequest);
}

/** False for a capability of which the simulated kernel need not know. */
export function hasRows(record: CallRecord): boolean {
  const name = requestName(record);
  return !enablesCap(record.request) || (name !== record.request && isCheckedRequest(name));
}

function enablesCap(request: string): boolean {
  return request === 'KVM_ENABLE_CAP';
}
