/** A traced call has the name that the book of checks has for its request. */
import { type CheckedRequest, isCheckedRequest } from '../../abi/kvm/checks/index.ts';
import { requestWith } from '../../abi/kvm/requests.ts';
import type { CallRecord } from '../record.ts';

/** Gives a name such as `KVM_ENABLE_CAP(KVM_CAP_SPLIT_IRQCHIP)`. */
export function requestName({ request, args }: CallRecord): string {
  const { cap } = args;
  return requestWith(request, enablesCap(request) && typeof cap === 'string' ? cap : undefined);
}

const fileKinds: Readonly<Record<string, string>> = {
  sys: '/dev/kvm',
  vcpu: 'a vCPU',
  dev: 'a device',
};

/** Returns undefined when the book has no rows for the request. */
export function bookRequest(record: CallRecord): CheckedRequest | undefined {
  const [kind = ''] = record.object.split('#');
  const name = requestName(record);
  return [`${name} on ${fileKinds[kind]}`, name, record.request].find(isCheckedRequest);
}

/** Returns false for a capability that the simulated kernel need not know. */
export function hasRows(record: CallRecord): boolean {
  const name = requestName(record);
  return !enablesCap(record.request) || (name !== record.request && isCheckedRequest(name));
}

function enablesCap(request: string): boolean {
  return request === 'KVM_ENABLE_CAP';
}
