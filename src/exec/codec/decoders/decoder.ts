import type { IoctlName } from '../../../abi/kvm/requests.ts';
import type {
  EventfdFact,
  GuestMemfdFact,
  KnownRequest,
  RunRequest,
} from '../../../simulator/index.ts';
import type { ClientCall } from '../client-call.ts';
import type { Fields, Layout, ValuesOf } from '../layout.ts';
import { Place } from '../place.ts';
import { StructInMemory } from '../user-structs.ts';

export type Decoder = (call: ClientCall) => KnownRequest | RunRequest;
export type DecoderTable = Readonly<Partial<Record<IoctlName, Decoder>>>;

export function argument({ memory, arg }: ClientCall): Place {
  return new Place(memory, arg);
}

export function structOf<const F extends Fields>(
  call: ClientCall,
  layout: Layout<F>,
): StructInMemory<F> {
  return new StructInMemory(argument(call), layout);
}

/** Where a pointer in a struct leads, which is looked up in the struct as it was read last. */
export function pointee<const F extends Fields>(
  { memory }: ClientCall,
  struct: StructInMemory<F>,
  pointer: (values: ValuesOf<F>) => bigint,
): Place {
  return new Place(memory, () => (struct.last === undefined ? undefined : pointer(struct.last)));
}

/**
 * An argument that the kernel takes as `unsigned long`. Above 2^53 the number is not exact, which does
 * no harm: it is far above all that any of these arguments may be.
 */
export function unsignedLong(arg: bigint): number {
  return Number(arg);
}

/** The kernel cuts some arguments and fields to 32 bits, and every fd. */
export function u32(value: bigint): number {
  return Number(BigInt.asUintN(32, value));
}

export function guestMemfd(call: ClientCall, fd: number): GuestMemfdFact {
  const target = call.fd(fd);
  if (target === undefined) return undefined;
  return target.kind === 'ours' ? target.handle : 'another file';
}

export function eventfd(call: ClientCall, fd: number): EventfdFact {
  const target = call.fd(fd);
  if (target === undefined) return 'not open';
  return target.kind === 'eventfd' ? { id: target.id } : 'not an eventfd';
}
