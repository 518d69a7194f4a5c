/** The checks that a kernel makes of a request, numbered by their place in its order. */
import {
  book,
  type CheckedRequest,
  type CheckName,
  isCheckedRequest,
} from '../../../abi/kvm/checks/index.ts';
import { isBeforeAll, type KernelAbi, stepOf } from '../../../abi/kvm/kernels/record.ts';
import type { NumberedCheck } from './request.ts';

/** undefined: the book does not have it. A capability without rows has those of KVM_ENABLE_CAP. */
export function bookRequest(request: string): CheckedRequest | undefined {
  if (isCheckedRequest(request)) return request;
  return request.startsWith('KVM_ENABLE_CAP(') ? 'KVM_ENABLE_CAP' : undefined;
}

export function checksOf(request: CheckedRequest, abi: KernelAbi): readonly NumberedCheck[] {
  return abi.checks[request].map((name) =>
    numbered(name, { step: stepOf(abi, request, name) ?? 0, abi }),
  );
}

/** A row that no order has, as `file.closed`: it comes before the request is known. */
export function checkOutsideOrders(name: CheckName, abi: KernelAbi): NumberedCheck {
  return numbered(name, { step: 0, abi });
}

function numbered(
  name: CheckName,
  { step, abi }: { readonly step: number; readonly abi: KernelAbi },
): NumberedCheck {
  const unreachable = abi.unreachable.includes(name) ? { unreachable: true as const } : {};
  return { ...book[name], name, step, ...unreachable };
}

/** Checks that many requests have, and that only a defect of the VMM comes to, or a signal. */
export function isShared({ name = '' }: NumberedCheck): boolean {
  if (name.endsWith('.unknown') || name.endsWith('.unknown-on-vm')) return false;
  return isBeforeAll(name) || /^(argument|command|kernel|process|enable-cap\.flags)/.test(name);
}
