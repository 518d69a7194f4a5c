/** Collects garbage while a guest still runs, so that none is due while it stands still for a move. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: ((options: { readonly type: 'minor' }) => void) | undefined;

/** What is young and dead: a millisecond for the heap of a keeper. */
export function collectYoung(): void {
  collect?.({ type: 'minor' });
}

/** Makes {@link collectYoung} do so: V8 gives it to contexts that are made once it is told to. */
export function prepareToCollect(): void {
  setFlagsFromString('--expose-gc');
  collect ??= runInNewContext('gc');
}
