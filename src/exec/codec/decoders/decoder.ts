import type { IoctlName } from '../../../abi/kvm/requests.ts';
import type { Handle, Request, RunRequest } from '../../../simulator/index.ts';
import type { ClientCall } from '../index.ts';
import type { Field, Layout } from '../layout.ts';
import { Place, StructInMemory } from '../user-structs.ts';

export type Decoder = (call: ClientCall) => Request | RunRequest;
export type DecoderTable = Readonly<Partial<Record<IoctlName, Decoder>>>;

/** The struct that the argument points to. */
export function structOf<const F extends Readonly<Record<string, Field>>>(
  { memory, arg }: ClientCall,
  layout: Layout<F>,
): StructInMemory<F> {
  return new StructInMemory(new Place(memory, arg), layout);
}

/**
 * An argument that the kernel takes as `unsigned long`. Above 2^53 the number is not exact, which does
 * no harm: it is far above all that any of these arguments may be.
 */
export function unsignedLong(arg: bigint): number {
  return Number(arg);
}

/** An argument or a field that the kernel cuts to 32 bits, as it does every fd. */
export function u32(value: bigint): number {
  return Number(BigInt.asUintN(32, value));
}

/** Handles are positive, so this one is of no file that the simulated host knows. */
const anotherFile: Handle = 0;

/** undefined: the fd is not open. */
export function handleOf(call: ClientCall, fd: number): Handle | undefined {
  const target = call.fd(fd);
  if (target === undefined) return undefined;
  return target.kind === 'ours' ? target.handle : anotherFile;
}
