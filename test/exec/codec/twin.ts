/** Two equal machines: one is asked by values, the other by the bytes of a client. */
import { inspect } from 'node:util';
import { expect } from 'vitest';
import { ioctlNumbers } from '../../../src/abi/kvm/requests.ts';
import type { ClientCall } from '../../../src/exec/codec/index.ts';
import { runPageBytes } from '../../../src/exec/codec/run-page.ts';
import type {
  Handle,
  InitVmStruct,
  KnownRequest,
  Request,
  RunPageInput,
  TraceEvent,
} from '../../../src/simulator/index.ts';
import { Driver, type DriverOptions, type Result, type Running } from '../../simulator/drive.ts';
import { addressSizes, command, cpuidOf } from '../../simulator/structs.ts';
import { Client } from './client.ts';
import { encode } from './encode.ts';

/** The copies that fault, by their number over the whole run. */
export type FaultingCopies = ReadonlySet<number>;

const makes: Readonly<Record<string, ClientCall['file']>> = {
  KVM_CREATE_VM: 'vm',
  KVM_CREATE_VCPU: 'vcpu',
  KVM_CREATE_GUEST_MEMFD: 'guest_memfd',
  KVM_LINK_GUEST_MEMFD: 'guest_memfd',
};

export class Twin extends Driver {
  readonly byBytes: Driver;
  readonly client = new Client();
  readonly traces = { values: [] as string[], bytes: [] as string[] };
  readonly #files = new Map<Handle, ClientCall['file']>([[this.kvm, 'system']]);
  readonly #faulting: FaultingCopies;
  #copies = { values: 0, bytes: 0 };

  constructor(options: DriverOptions, faulting: FaultingCopies = new Set()) {
    super(options);
    this.byBytes = new Driver(options);
    this.client.kernelAbi = this.machine.kernelAbi;
    this.#faulting = faulting;
    this.machine.listen((event) => this.traces.values.push(shown(event)));
    this.byBytes.machine.listen((event) => this.traces.bytes.push(shown(event)));
  }

  /** What came of a call by bytes must be what comes of it by values, in the structs too. */
  override call(handle: Handle, request: Request): Result {
    const encoded = encode(this.client, request as KnownRequest);
    const file = this.#files.get(handle) ?? 'system';
    this.client.faults = () => false;
    const decoded = this.client.decode(file, encoded.number, encoded.arg);
    expect(decoded).toMatchObject({ kind: 'request', request: { request: request.request } });
    if (decoded.kind !== 'request') throw new Error('no request');
    // What the codec itself has looked at does not count as a copy of the kernel.
    this.client.faults = () => this.#faulting.has(this.#copies.bytes++);
    const byBytes = this.byBytes.call(handle, decoded.request);
    const byValues = super.call(handle, this.#faultingLikewise(encoded.request));
    expect([request.request, byBytes]).toEqual([request.request, byValues]);
    for (const [name, [memory, values]] of Object.entries(encoded.written())) {
      expect([request.request, name, memory]).toEqual([request.request, name, values]);
    }
    const made = makes[request.request];
    if (made !== undefined && typeof byValues === 'number') this.#files.set(byValues, made);
    return byValues;
  }

  override run(vcpu: Handle, input: Partial<RunPageInput> = {}): Running {
    const page = new Uint8Array(runPageBytes);
    page[1] = input.immediateExit === true ? 1 : 0;
    const decoded = this.client.decode('vcpu', ioctlNumbers.KVM_RUN, 0n, page);
    if (decoded.kind !== 'run') throw new Error('no KVM_RUN');
    const caller = {
      mm: this.mm,
      cgroup: this.cgroup,
      memory: this.client,
      pendingSignal: () => this.signal,
    };
    const byBytes = this.byBytes.machine.run(caller, vcpu, decoded.request);
    const byValues = super.run(vcpu, input);
    const cancel = () => {
      byBytes.cancel();
      byValues.cancel();
    };
    return { ...byValues, cancel };
  }

  override release(...handles: Handle[]): void {
    this.byBytes.release(...handles);
    super.release(...handles);
  }

  /** A struct without xfam is given the CPUID leaf that it is taken from. */
  override initVm(
    vm: Handle,
    change: Partial<InitVmStruct> = {},
    cmd = command('KVM_TDX_INIT_VM'),
  ): Result {
    const hasXfam = this.machine.kernelAbi.initVm.struct === 'sized by nent';
    const cpuid = cpuidOf(addressSizes, ...(hasXfam ? [] : [x87AndSse]));
    return super.initVm(vm, { cpuid, ...change }, cmd);
  }

  #faultingLikewise(request: KnownRequest): KnownRequest {
    const fields = Object.entries(request).map(([name, value]) => [
      name,
      typeof value === 'object' ? this.#faultingStruct(value) : value,
    ]);
    return Object.fromEntries(fields) as KnownRequest;
  }

  #faultingStruct(struct: object): object {
    return new Proxy(struct, {
      get: (target, property) => {
        const member: unknown = Reflect.get(target, property);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) => {
          const isWrite = String(property).startsWith('write');
          if (copiesNothing(args[0])) return member.apply(target, args);
          if (!this.#faulting.has(this.#copies.values++)) return member.apply(target, args);
          return isWrite ? false : undefined;
        };
      },
    });
  }
}

/** All of it but the request, whose structs are values here and places in memory there. */
function shown(event: TraceEvent): string {
  const about = event.kind === 'ioctl' ? { ...event, request: event.request.request } : event;
  return inspect(about, { depth: null, maxArrayLength: null, sorted: true });
}

/** readEntries(0), writeEntries([]). */
function copiesNothing(argument: unknown): boolean {
  return argument === 0 || (Array.isArray(argument) && argument.length === 0);
}

/** Subleaf 0 of leaf 0xd with the XFAM of the driver's structs. */
const x87AndSse = { ...addressSizes, function: 0xd, index: 0, flags: 1, eax: 3 };
