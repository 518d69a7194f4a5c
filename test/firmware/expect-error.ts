import { expect } from 'vitest';
import { TdctlError } from '../../src/errors/index.ts';

/** What `act` throws, which must be a TdctlError: anything else is a defect. */
export function thrownBy(act: () => unknown): TdctlError {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(TdctlError);
    return error as TdctlError;
  }
  throw new Error('nothing was thrown');
}

export async function rejectionOf(promise: Promise<unknown>): Promise<TdctlError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(TdctlError);
  return error as TdctlError;
}
