/** What tells two kernels apart is enough to make the one's order of the other's. */
import { describe, expect, test } from 'vitest';
import { type CheckOrder, checkedRequests } from '../../../src/abi/kvm/checks/index.ts';
import { kernelAbis } from '../../../src/abi/kvm/kernels/index.ts';
import {
  differences,
  type OrderDifference,
  orderDifference,
} from '../../../src/diagnosis/kernels/differences.ts';

const from: CheckOrder = ['vm.dead', 'init-vm.flags', 'init-vm.xfam', 'init-vm.attributes'];

/** As a reader of the difference would do it. */
function applied({ added, leftOut, moved }: OrderDifference, order: CheckOrder): CheckOrder {
  const placed = [...added, ...moved];
  const gone = [...leftOut, ...placed.map(({ check }) => check)];
  const result = order.filter((check) => !gone.includes(check));
  const left = [...placed];
  while (left.length > 0) {
    const next = left.findIndex(({ after }) => after === null || result.includes(after));
    const [{ check, after }] = left.splice(next, 1) as [(typeof left)[number]];
    result.splice(after === null ? 0 : result.indexOf(after) + 1, 0, check);
  }
  return result;
}

describe.each(Object.values(kernelAbis))('$name', (abi) => {
  test('is made of upstream-7.3 by what is added, left out and moved', () => {
    const upstream = kernelAbis['upstream-7.3'].checks;
    for (const request of checkedRequests) {
      const difference = orderDifference(abi.checks[request], upstream[request]);
      expect(applied(difference, upstream[request]), request).toEqual(abi.checks[request]);
    }
  });

  test('differs from itself in nothing', () => {
    expect(differences(abi, abi)).toEqual([]);
  });
});

test('what moves is one check, not all that it passes', () => {
  const order: CheckOrder = ['vm.dead', 'init-vm.attributes', 'init-vm.flags', 'init-vm.xfam'];
  expect(orderDifference(order, from)).toEqual({
    added: [],
    leftOut: [],
    moved: [{ check: 'init-vm.attributes', after: 'vm.dead' }],
  });
});

test('requests that differ in the same way stand together', () => {
  const [...found] = differences(kernelAbis['upstream-6.16'], kernelAbis['upstream-7.3']);
  expect(found.map(({ requests }) => requests)).toContainEqual([
    'KVM_MEMORY_ENCRYPT_OP',
    'KVM_TDX_TERMINATE_VM',
  ]);
});
