/**
 * KVM_GET_ONE_REG, KVM_SET_ONE_REG and KVM_GET_REG_LIST follow arch/x86/kvm/msrs.c: MSRs one by one, and the
 * shadow stack pointer, which a guest has whose CPUID shows shadow stacks.
 */
import { findEntry } from '../../../abi/kvm/cpuid.ts';
import type { Answer, UserBytes, UserStruct } from '../../interface.ts';
import { done } from '../answer.ts';
import { CopiedIn, firstRefusal, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import { readGuestMsr, writeGuestMsr } from '../msrs/guest-msrs.ts';
import type { Vcpu } from '../objects.ts';
import { copiedBytes } from './copied-bytes.ts';

const oneRegBytes = 16;
/** `id`: the index, the type, what is reserved, the size of the value, the architecture. */
const KVM_REG_X86 = 0x20;
const KVM_REG_SIZE_U64 = 3;
const type = { msr: 2, kvm: 3 } as const;
const KVM_REG_GUEST_SSP = 0;
const guestSspId = (BigInt(KVM_REG_X86) << 56n) | (3n << 52n) | (BigInt(type.kvm) << 32n);
const SHSTK = 1 << 7;

interface OneRegCall {
  readonly kernel: Kernel;
  readonly vcpu: Vcpu;
  readonly isGet: boolean;
  readonly struct: CopiedIn<DataView>;
  readonly value: UserStruct<bigint>;
  readonly given: CopiedIn<bigint>;
  shown: bigint | undefined;
}

const indexOf = ({ struct }: OneRegCall) => struct.value.getUint32(0, true);
const typeOf = ({ struct }: OneRegCall) => struct.value.getUint8(4);
const isGuestSsp = (call: OneRegCall) =>
  typeOf(call) === type.kvm && indexOf(call) === KVM_REG_GUEST_SSP;

const steps: Steps<OneRegCall> = {
  'argument.unreadable': ({ struct }) => struct.fails(),
  'one-reg.architecture': ({ struct }) => struct.value.getUint8(7) !== KVM_REG_X86,
  'one-reg.reserved': ({ struct: { value } }) =>
    value.getUint8(5) !== 0 || (value.getUint8(6) & 0xf) !== 0,
  'one-reg.unknown': (call) =>
    typeOf(call) === type.kvm
      ? !isGuestSsp(call) || !hasShadowStack(call.vcpu)
      : typeOf(call) !== type.msr,
  'one-reg.size': ({ struct }) => struct.value.getUint8(6) >> 4 !== KVM_REG_SIZE_U64,
  'one-reg.value-unreadable': ({ isGet, given }) => !isGet && given.fails(),
  'one-reg.refused': (call) => {
    call.shown = call.isGet ? read(call) : 0n;
    return call.isGet ? call.shown === undefined : !written(call);
  },
  'one-reg.value-unwritable': ({ isGet, shown, value }) => isGet && !value.write(shown ?? 0n),
};

export function oneReg(
  kernel: Kernel,
  vcpu: Vcpu,
  request: 'KVM_GET_ONE_REG' | 'KVM_SET_ONE_REG',
  { struct: user, value }: { readonly struct: UserBytes; readonly value: UserStruct<bigint> },
): Answer {
  const isGet = request === 'KVM_GET_ONE_REG';
  const struct = copiedBytes(user, oneRegBytes);
  const given = new CopiedIn(() => value.read());
  const call = { kernel, vcpu, isGet, struct, value, given, shown: undefined };
  return firstRefusal(kernel, request, { steps, call }) ?? done;
}

function read(call: OneRegCall): bigint | undefined {
  return isGuestSsp(call)
    ? call.vcpu.guestSsp
    : readGuestMsr(call.kernel, call.vcpu, indexOf(call));
}

function written(call: OneRegCall): boolean {
  const { kernel, vcpu, given } = call;
  if (!isGuestSsp(call)) return writeGuestMsr(kernel, vcpu, indexOf(call), given.value);
  // The pointer has 8-byte alignment, like the stack.
  if (given.value % 8n !== 0n) return false;
  vcpu.guestSsp = given.value;
  return true;
}

interface RegListCall {
  readonly user: UserBytes;
  readonly room: CopiedIn<DataView>;
  readonly ids: readonly bigint[];
}

const listSteps: Steps<RegListCall> = {
  'argument.unreadable': ({ room }) => room.fails(),
  'argument.unwritable': ({ user, ids }) => !user.write(u64s([BigInt(ids.length)])),
  'reg-list.too-small': ({ room, ids }) => room.value.getBigUint64(0, true) < ids.length,
  'reg-list.ids-unwritable': ({ user, ids }) => ids.length > 0 && !user.write(u64s(ids), 8),
};

/** The list names what has no number of an MSR: at most the shadow stack pointer. */
export function getRegList(kernel: Kernel, vcpu: Vcpu, user: UserBytes): Answer {
  const ids = hasShadowStack(vcpu) ? [guestSspId] : [];
  const call = { user, room: copiedBytes(user, 8), ids };
  return firstRefusal(kernel, 'KVM_GET_REG_LIST', { steps: listSteps, call }) ?? done;
}

function hasShadowStack({ cpuid }: Vcpu): boolean {
  return ((findEntry(cpuid, 7)?.ecx ?? 0) & SHSTK) !== 0;
}

function u64s(values: readonly bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values).buffer);
}
