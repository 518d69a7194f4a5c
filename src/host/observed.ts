/** A host whose every request is reported: which one, how it was answered, how long it took. */
import { type CapabilityName, capabilities } from '../abi/kvm/capabilities.ts';
import type { RequestName } from '../abi/kvm/requests.ts';
import { KvmError } from './kvm-error.ts';
import type { Host, Vcpu, Vm } from './port.ts';

export interface RequestRecord {
  readonly request: RequestName;
  /** The capability, where the request names one. */
  readonly capability: CapabilityName | undefined;
  /** `ok`, or the errno's name. */
  readonly answer: string;
  readonly durationMs: number;
}

export type RequestListener = (record: RequestRecord) => void;

const hostRequests = {
  checkExtension: 'KVM_CHECK_EXTENSION',
  getSupportedCpuid: 'KVM_GET_SUPPORTED_CPUID',
  createVm: 'KVM_CREATE_VM',
} as const satisfies Requests<Host>;

const vmRequests = {
  checkExtension: 'KVM_CHECK_EXTENSION',
  enableCap: 'KVM_ENABLE_CAP',
  setTscKhz: 'KVM_SET_TSC_KHZ',
  createVcpu: 'KVM_CREATE_VCPU',
  createGuestMemfd: 'KVM_CREATE_GUEST_MEMFD',
  linkGuestMemfd: 'KVM_LINK_GUEST_MEMFD',
  moveEncContextFrom: 'KVM_ENABLE_CAP',
  setUserMemoryRegion2: 'KVM_SET_USER_MEMORY_REGION2',
  setMemoryAttributes: 'KVM_SET_MEMORY_ATTRIBUTES',
  tdxCapabilities: 'KVM_TDX_CAPABILITIES',
  tdxInitVm: 'KVM_TDX_INIT_VM',
  tdxFinalizeVm: 'KVM_TDX_FINALIZE_VM',
  tdxTerminateVm: 'KVM_TDX_TERMINATE_VM',
} as const satisfies Requests<Vm>;

const vcpuRequests = {
  setCpuid2: 'KVM_SET_CPUID2',
  tdxInitVcpu: 'KVM_TDX_INIT_VCPU',
  tdxInitMemRegion: 'KVM_TDX_INIT_MEM_REGION',
  tdxGetCpuid: 'KVM_TDX_GET_CPUID',
  run: 'KVM_RUN',
} as const satisfies Requests<Vcpu>;

type Requests<T> = { readonly [Method in keyof T]?: RequestName };

export function observeHost(host: Host, onAnswer: RequestListener): Host {
  const observeVcpu = (vcpu: Vcpu) => observed(vcpu, vcpuRequests, onAnswer);
  const observeVm = (vm: Vm): Vm => {
    const inner = observed(vm, vmRequests, onAnswer);
    return replaced(inner, {
      createVcpu: async (options) => observeVcpu(await inner.createVcpu(options)),
    });
  };
  const inner = observed(host, hostRequests, onAnswer);
  return replaced(inner, { createVm: async (options) => observeVm(await inner.createVm(options)) });
}

/** The same object with the named methods timed and reported. */
function observed<T extends object>(
  target: T,
  requests: Requests<T>,
  onAnswer: RequestListener,
): T {
  const timed: Partial<T> = {};
  for (const [method, request] of Object.entries(requests) as [keyof T, RequestName][]) {
    const call = target[method] as ((...args: unknown[]) => Promise<unknown>) | undefined;
    if (call === undefined) continue;
    const report = async (...args: unknown[]): Promise<unknown> => {
      const startedAt = performance.now();
      const finish = (answer: string) =>
        onAnswer({
          request,
          capability:
            method === 'moveEncContextFrom'
              ? 'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM'
              : namedCapability(args[0]),
          answer,
          durationMs: performance.now() - startedAt,
        });
      try {
        const result = await call.apply(target, args);
        finish('ok');
        return result;
      } catch (error) {
        finish(error instanceof KvmError ? error.code : 'error');
        throw error;
      }
    };
    timed[method] = report as T[keyof T];
  }
  return replaced(target, timed);
}

// Methods of the hosts use private fields, so what is not replaced must still see its own `this`.
function replaced<T extends object>(target: T, replacements: Partial<T>): T {
  return new Proxy(target, {
    get(self, key) {
      if (key in replacements) return Reflect.get(replacements, key);
      const value = Reflect.get(self, key, self);
      return typeof value === 'function' ? value.bind(self) : value;
    },
  });
}

function namedCapability(argument: unknown): CapabilityName | undefined {
  const name =
    typeof argument === 'object' && argument !== null && 'capability' in argument
      ? argument.capability
      : argument;
  return typeof name === 'string' && name in capabilities ? (name as CapabilityName) : undefined;
}
