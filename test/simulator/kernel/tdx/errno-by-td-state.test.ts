/** Arguments are valid, and the TD's state decides. */
import { describe, expect, test } from 'vitest';
import { Driver } from '../../drive.ts';
import { memRegion, page, ramGpa } from '../../structs.ts';

type State = 'created' | 'initialized' | 'runnable';

/** A TD in that state; from INIT_VM on with vCPU 0 INIT'ed and memory. */
function tdIn(state: State) {
  const driver = new Driver();
  if (state === 'created') {
    const vm = driver.createVm();
    driver.cap(vm, 'KVM_CAP_SPLIT_IRQCHIP', 24n);
    return { driver, vm, vcpu: undefined };
  }
  const { vm, vcpus } = driver.builtTd();
  if (state === 'runnable') driver.finalizeVm(vm);
  return { driver, vm, vcpu: vcpus[0] };
}

type Td = ReturnType<typeof tdIn>;
type Row = readonly [
  name: string,
  call: (td: Td) => unknown,
  answers: Partial<Record<State, unknown>>,
];

const aHandle = expect.any(Number);
const onVcpu = (run: (td: Td, vcpu: number) => unknown) => (td: Td) => run(td, td.vcpu ?? 0);

const rows: readonly Row[] = [
  [
    'CAPABILITIES',
    ({ driver, vm }) => driver.capabilities(vm),
    { created: 0, initialized: 0, runnable: 0 },
  ],
  [
    'INIT_VM',
    ({ driver, vm }) => driver.initVm(vm),
    { created: 0, initialized: 'EINVAL', runnable: 'EINVAL' },
  ],
  [
    'CREATE_VCPU of a new id',
    ({ driver, vm }) => driver.createVcpu(vm, 9),
    { created: 'EIO', initialized: aHandle, runnable: 'EIO' },
  ],
  [
    'CREATE_VCPU of an id that exists',
    ({ driver, vm }) => driver.createVcpu(vm, 0),
    { initialized: 'EEXIST', runnable: 'EEXIST' },
  ],
  [
    'INIT_VCPU of a second vCPU',
    ({ driver, vm, vcpu }) => {
      if (vcpu === undefined) return undefined;
      const second = driver.createVcpu(vm, 9);
      if (typeof second === 'string') return driver.initVcpu(vcpu);
      driver.setCpuid2(second);
      return driver.initVcpu(second);
    },
    { initialized: 0, runnable: 'EINVAL' },
  ],
  [
    'GET_CPUID',
    onVcpu(({ driver }, vcpu) => driver.getCpuid(vcpu)),
    { initialized: 0, runnable: 'EINVAL' },
  ],
  [
    'INIT_MEM_REGION',
    onVcpu(({ driver }, vcpu) => driver.initMemRegion(vcpu, memRegion())),
    { initialized: 0, runnable: 'EINVAL' },
  ],
  [
    'FINALIZE_VM',
    ({ driver, vm }) => driver.finalizeVm(vm),
    { created: 'EINVAL', initialized: 0, runnable: 'EINVAL' },
  ],
  [
    'SET_TSC_KHZ on the VM, with a vCPU from INIT_VM on',
    ({ driver, vm }) => driver.setTscKhz(vm, 1_500_000),
    { created: 0, initialized: 'EINVAL', runnable: 'EINVAL' },
  ],
  [
    'SET_MEMORY_ATTRIBUTES',
    ({ driver, vm }) => driver.setPrivate(vm, ramGpa + page, 1),
    { created: 0, initialized: 0, runnable: 0 },
  ],
];

const cells = rows.flatMap(([name, call, answers]) =>
  Object.entries(answers).map(([state, answer]) => [name, state as State, answer, call] as const),
);

describe('errno by TD state', () => {
  test.each(cells)('%s, while the TD is %s, is answered %s', (_name, state, answer, call) => {
    expect(call(tdIn(state))).toEqual(answer);
  });

  test('SET_TSC_KHZ after INIT_VM and before the first vCPU succeeds', () => {
    const driver = new Driver();
    expect(driver.setTscKhz(driver.initializedTd(), 1_500_000)).toBe(0);
  });

  test('a TDX command on the wrong kind of fd, and one with an unknown id, is EINVAL', () => {
    const { driver, vm, vcpu } = tdIn('initialized');
    expect(driver.initVcpu(vm)).toBe('EINVAL');
    expect(driver.initVm(vcpu ?? 0)).toBe('EINVAL');
    const cmd = { read: () => ({ id: 77, flags: 0, data: 0n, hwError: 0n }), write: () => true };
    for (const handle of [vm, vcpu ?? 0]) {
      expect(driver.call(handle, { request: 'KVM_MEMORY_ENCRYPT_OP', cmd })).toBe('EINVAL');
    }
  });
});
