/** What both kernels are asked. Objects are named by number, counted round those that are open. */
import { fc } from '@fast-check/vitest';
import { capabilities } from '../../../src/abi/kvm/capabilities.ts';

export type Operation =
  | { readonly do: 'createVm'; readonly type: number }
  | { readonly do: 'checkSystem'; readonly capability: number }
  | { readonly do: 'checkVm'; readonly vm: number; readonly capability: number }
  | {
      readonly do: 'enableCap';
      readonly vm: number;
      readonly capability: number;
      readonly flags: number;
      readonly args: readonly bigint[];
    }
  | { readonly do: 'createIrqchip'; readonly vm: number }
  | { readonly do: 'createVcpu'; readonly vm: number; readonly id: number }
  | { readonly do: 'setVmTscKhz'; readonly vm: number; readonly tscKhz: number }
  | { readonly do: 'initVm'; readonly vm: number }
  | { readonly do: 'initVcpu'; readonly vcpu: number }
  | { readonly do: 'closeVm'; readonly vm: number }
  | { readonly do: 'closeVcpu'; readonly vcpu: number };

const any = fc.nat({ max: 7 });
const known = Object.values(capabilities);
const capability = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...known) },
  { weight: 1, arbitrary: fc.integer({ min: 10_000, max: 0xffff_ffff }) },
);

/** Its enabling asks for CAP_SYS_BOOT, which a model of no process knows nothing of. */
const enabledAtAll = capability.filter(
  (number) => number !== capabilities.KVM_CAP_VM_DISABLE_NX_HUGE_PAGES,
);

/** Where the rules change, and anything at all. */
const argument = fc.oneof(
  fc.bigInt({ min: 0n, max: 16n }),
  fc.constantFrom(1n, 2n, 24n, 1023n, 1024n, 1025n, 4095n, 4096n, 4097n, 0x1000n, 0x1001n),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);

/** Those that the sequences are about, with arguments that fit them more often than not. */
const enabledOften = fc.constantFrom(
  capabilities.KVM_CAP_MAX_VCPUS,
  capabilities.KVM_CAP_MAX_VCPU_ID,
  capabilities.KVM_CAP_SPLIT_IRQCHIP,
  capabilities.KVM_CAP_X2APIC_API,
  capabilities.KVM_CAP_EXIT_HYPERCALL,
  capabilities.KVM_CAP_X86_APIC_BUS_CYCLES_NS,
  capabilities.KVM_CAP_DISABLE_QUIRKS2,
  capabilities.KVM_CAP_PMU_CAPABILITY,
  capabilities.KVM_CAP_X86_NOTIFY_VMEXIT,
  capabilities.KVM_CAP_X86_BUS_LOCK_EXIT,
  capabilities.KVM_CAP_EXCEPTION_PAYLOAD,
  capabilities.KVM_CAP_X86_TRIPLE_FAULT_EVENT,
  capabilities.KVM_CAP_X86_USER_SPACE_MSR,
  capabilities.KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
  capabilities.KVM_CAP_X86_DISABLE_EXITS,
  capabilities.KVM_CAP_HALT_POLL,
  capabilities.KVM_CAP_DIRTY_LOG_RING,
);

const vcpuId = fc.oneof(
  { weight: 6, arbitrary: fc.nat({ max: 5 }) },
  { weight: 2, arbitrary: fc.constantFrom(255, 1023, 1024, 4095, 4096, 4097) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 0xffff_ffff }) },
);

const tscKhz = fc.oneof(
  fc.constantFrom(0, 1, 1_000_000, 2_000_000, 0xffff_ffff),
  fc.integer({ min: 0, max: 0xffff_ffff }),
);

export const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('createVm' as const),
      type: fc.oneof(
        { weight: 6, arbitrary: fc.constant(0) },
        { weight: 3, arbitrary: fc.integer({ min: 1, max: 7 }) },
        { weight: 1, arbitrary: fc.constantFrom(31, 32, 33, 0x7fff_ffff) },
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('checkSystem' as const), capability }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('checkVm' as const), vm: any, capability }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('enableCap' as const),
      vm: any,
      capability: fc.oneof({ weight: 5, arbitrary: enabledOften }, enabledAtAll),
      flags: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 3 })),
      args: fc.array(argument, { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('createIrqchip' as const), vm: any }) },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('createVcpu' as const), vm: any, id: vcpuId }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('setVmTscKhz' as const), vm: any, tscKhz }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('initVm' as const), vm: any }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('initVcpu' as const), vcpu: any }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('closeVm' as const), vm: any }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('closeVcpu' as const), vcpu: any }) },
);

/** `fd`, a number, an errno's name, or `nothing` where the object meant does not exist. */
export type Answer = string | number;

export interface KernelUnderTest {
  ask(operation: Operation): Promise<Answer>;
  closeAll(): Promise<void>;
}

/** The open objects of one kind, in order of making. */
export class Objects<T> {
  #open: T[] = [];

  add(object: T): void {
    this.#open.push(object);
  }

  pick(index: number): T | undefined {
    return this.#open[index % Math.max(1, this.#open.length)];
  }

  take(index: number): T | undefined {
    const object = this.pick(index);
    this.#open = this.#open.filter((candidate) => candidate !== object);
    return object;
  }

  takeAll(): T[] {
    return this.#open.splice(0);
  }
}
