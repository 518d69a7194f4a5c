/** What a kernel checks otherwise than another: rows added, left out and moved, request by request. */
import {
  type CheckedRequest,
  type CheckName,
  type CheckOrder,
  checkedRequests,
} from '../../abi/kvm/checks/index.ts';
import type { KernelAbi } from '../../abi/kvm/kernels/record.ts';

/** A check at its new place. */
export interface PlacedCheck {
  readonly check: CheckName;
  /** The check that is made right before it; null: it is the first. */
  readonly after: CheckName | null;
}

export interface OrderDifference {
  readonly added: readonly PlacedCheck[];
  readonly leftOut: readonly CheckName[];
  readonly moved: readonly PlacedCheck[];
}

export interface RequestDifference extends OrderDifference {
  /** Requests that differ in the same way. */
  readonly requests: readonly CheckedRequest[];
}

export function differences(abi: KernelAbi, from: KernelAbi): readonly RequestDifference[] {
  const found = new Map<string, RequestDifference>();
  for (const request of checkedRequests) {
    const difference = orderDifference(abi.checks[request], from.checks[request]);
    if (Object.values(difference).every(({ length }) => length === 0)) continue;
    const key = JSON.stringify(difference);
    const before = found.get(key)?.requests ?? [];
    found.set(key, { requests: [...before, request], ...difference });
  }
  return [...found.values()];
}

export function orderDifference(order: CheckOrder, from: CheckOrder): OrderDifference {
  const kept = new Set(inSameOrder(order, from));
  const places = order.map((check, index) => ({ check, after: order[index - 1] ?? null }));
  return {
    added: places.filter(({ check }) => !from.includes(check)),
    leftOut: from.filter((check) => !order.includes(check)),
    moved: places.filter(({ check }) => from.includes(check) && !kept.has(check)),
  };
}

/** The longest list of checks that both orders have in the same order: all others have moved. */
function inSameOrder(order: CheckOrder, from: CheckOrder): CheckOrder {
  // longest[i] is that of the first i checks of `from` and those of `order` looked at so far.
  let longest: CheckOrder[] = Array.from({ length: from.length + 1 }, () => []);
  for (const check of order) {
    const next: CheckOrder[] = [[]];
    from.forEach((each, index) => {
      const without = longerOf(next[index] ?? [], longest[index + 1] ?? []);
      next.push(each === check ? [...(longest[index] ?? []), check] : without);
    });
    longest = next;
  }
  return longest.at(-1) ?? [];
}

function longerOf(a: CheckOrder, b: CheckOrder): CheckOrder {
  return b.length > a.length ? b : a;
}
