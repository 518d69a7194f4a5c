import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { TestContext } from 'vitest';
import {
  type Addon,
  loadAddon,
  type NativeError,
  type Script,
  type ScriptedAnswer,
  type System,
  type Vcpu,
  type Vm,
} from '../../native/index.ts';
import { ioctlNumbers } from '../../src/abi/kvm/requests.ts';
import type { CpuidEntry } from '../../src/abi/kvm/structs.ts';

/** The addon, or a skip that says what was tried. */
export function requireAddon(context: TestContext): Addon {
  const native = loadAddon();
  if (native.available) return native.addon;
  const tried = native.tried.map(({ path, reason }) => `${path} (${reason})`).join(', ');
  return context.skip(`the native addon is not built; tried ${tried}`);
}

export interface Scripted {
  readonly addon: Addon;
  readonly system: System;
  readonly vm: Vm;
  readonly vcpu: Vcpu;
  /** Puts answers in place of the kernel; ended with the test. */
  script(...answers: readonly ScriptedAnswer[]): Script;
}

/** A system, a VM and a vCPU which are all /dev/null; closed when the test ends. */
export async function scripted(context: TestContext): Promise<Scripted> {
  const addon = requireAddon(context);
  const setup = addon.testing.script([
    { request: ioctlNumbers.KVM_CREATE_VM, returns: 'fd' },
    { request: ioctlNumbers.KVM_CREATE_VCPU, returns: 'fd' },
  ]);
  const system = await addon.System.open('/dev/null');
  const vm = await system.kvmCreateVm(5);
  const vcpu = await vm.kvmCreateVcpu(3);
  setup.end();
  const scripts: Script[] = [];
  context.onTestFinished(async () => {
    for (const script of scripts) script.end();
    await Promise.all([vcpu.close(), vm.close(), system.close()]);
  });
  const script = (...answers: readonly ScriptedAnswer[]) => {
    const made = addon.testing.script(answers);
    scripts.push(made);
    return made;
  };
  return { addon, system, vm, vcpu, script };
}

/** What a promise rejected with. Fails the test where it was fulfilled. */
export async function rejection(promise: Promise<unknown>): Promise<NativeError> {
  try {
    await promise;
  } catch (error) {
    return error as NativeError;
  }
  throw new Error('the promise was fulfilled, not rejected');
}

export const u32 = (...values: readonly number[]) =>
  new Uint8Array(Uint32Array.from(values).buffer);
export const u64 = (...values: readonly bigint[]) =>
  new Uint8Array(BigUint64Array.from(values).buffer);
export const zeros = (length: number) => new Uint8Array(length);
export const concat = (...parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

/** `struct kvm_cpuid_entry2`. */
export const entryBytes = (entry: CpuidEntry) =>
  u32(
    entry.function,
    entry.index,
    entry.flags,
    entry.eax,
    entry.ebx,
    entry.ecx,
    entry.edx,
    ...[0, 0, 0],
  );

export function makeEntries(count: number): CpuidEntry[] {
  return Array.from({ length: count }, (_, at) => ({
    function: 0x4000_0000 + at,
    index: at,
    flags: at % 2,
    eax: 0xffff_ffff - at,
    ebx: at * 3,
    ecx: at * 5,
    edx: 0x8000_0000 + at,
  }));
}

/** The fds of this process, with what each is open on. */
export function openFds(): Map<number, string> {
  const fds = new Map<number, string>();
  for (const name of readdirSync('/proc/self/fd')) {
    try {
      fds.set(Number(name), readlinkSync(`/proc/self/fd/${name}`));
    } catch {
      // The fd of the listing itself is gone by now.
    }
  }
  return fds;
}

/** Whether something is mapped at an address of this process. */
export function isMapped(address: bigint): boolean {
  return readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .some((line) => {
      const [, start, end] = /^([0-9a-f]+)-([0-9a-f]+) /.exec(line) ?? [];
      return start && address >= BigInt(`0x${start}`) && address < BigInt(`0x${end}`);
    });
}

/** Runs the garbage collector and then the finalizers it left to do. */
export async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  for (let round = 0; round < 5; round += 1) {
    gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
