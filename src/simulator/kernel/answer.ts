import { type ErrnoName, errnoNumbers } from '../../abi/kvm/errno.ts';
import type { Answer } from '../interface.ts';

export type Refusal = Extract<Answer, { readonly ok: false }>;

// Every answer without a value of its own is made once: a refused ioctl allocates nothing.
const refusals = Object.fromEntries(
  Object.keys(errnoNumbers).map((errno) => [
    errno,
    Object.freeze({ ok: false, errno, hwError: undefined }),
  ]),
) as Readonly<Record<ErrnoName, Refusal>>;

export const done: Answer = Object.freeze({ ok: true, value: 0 });

export function ok(value: number): Answer {
  return value === 0 ? done : { ok: true, value };
}

export function refuse(errno: ErrnoName, hwError = 0n): Refusal {
  return hwError === 0n ? refusals[errno] : { ok: false, errno, hwError };
}
