/** What goes over the socket of a shared host: what comes out is what went in, in whatever pieces. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TdctlError } from '../../../src/errors/index.ts';
import { KvmError } from '../../../src/host/kvm-error.ts';
import {
  FrameReader,
  FrameWriter,
  MessageTooLong,
  maxFrameBytes,
} from '../../../src/host/shared/wire/frames.ts';

const noObjects = {
  refer: () => undefined,
  resolve: () => {
    throw new Error('no objects');
  },
};

/** Any value that a port may have, `undefined` in objects apart: there it is as if it were absent. */
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    fc.bigInt(),
    fc.double(),
    fc.integer(),
    fc.string({ unit: 'binary' }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 40 }),
    fc.array(fc.oneof(tie('any'), fc.constant(undefined)), { maxLength: 4 }),
    fc.dictionary(
      fc.oneof(fc.string(), fc.constantFrom('$big', '$', '$$bytes', '__proto__', 'constructor')),
      tie('any'),
      { maxKeys: 4, noNullPrototype: true },
    ),
  ),
})).any;

function sent(messages: readonly unknown[]): Buffer {
  const frames: Buffer[] = [];
  const writer = new FrameWriter(noObjects, (frame) => frames.push(frame));
  for (const message of messages) writer.add(message);
  writer.flush();
  return Buffer.concat(frames);
}

function heard(bytes: Buffer, pieceBytes: number): unknown[] {
  const reader = new FrameReader();
  const messages: unknown[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    for (const frame of reader.take(bytes.subarray(at, at + pieceBytes))) {
      messages.push(...frame.messages(noObjects));
    }
  }
  return messages;
}

describe('messages', () => {
  test('are heard as they were sent', () => {
    fc.assert(
      fc.property(
        fc.array(value, { maxLength: 5 }),
        fc.integer({ min: 1, max: 50 }),
        (all, size) => {
          expect(heard(sent(all), size)).toEqual(all);
        },
      ),
      { seed: 3 },
    );
  });

  test.each([
    new KvmError({
      ...{ request: 'KVM_TDX_INIT_VM', errno: 28, hwStatus: 0x8000_0201_0000_0092n },
      ...{ check: 'init-vm.no-key-slot', leaf: { name: 'TDH.MNG.CREATE', status: 5n } },
      ...{ repeatedMs: 7, capability: 'KVM_CAP_MAX_VCPUS' },
    }),
    new TdctlError({
      ...{ code: 'TDCTL_E_IOCTL', op: 'map memory', message: 'it could not' },
      ...{ hint: 'less', place: 'a:1', details: ['one'] },
    }),
    new RangeError('outside'),
    new TypeError('of another host'),
    new Error('else'),
  ])('carry %s', (error) => {
    const [again] = heard(sent([{ answer: 1, error }]), 1000) as [{ error: Error }];
    expect(again.error).toStrictEqual(error);
    expect({ ...again.error }).toEqual({ ...error });
    expect(again.error.message).toBe(error.message);
  });

  test('that no frame has room for are refused, and those around them go', () => {
    const frames: Buffer[] = [];
    const writer = new FrameWriter(noObjects, (frame) => frames.push(frame));
    writer.add('before');
    expect(() => writer.add(new Uint8Array(maxFrameBytes))).toThrow(MessageTooLong);
    expect(() => writer.add(() => undefined)).toThrow(TypeError);
    expect(() => writer.add(new Map())).toThrow('a Map cannot be sent');
    writer.add('after');
    writer.flush();
    expect(heard(Buffer.concat(frames), 1000)).toEqual(['before', 'after']);
  });

  test('have no bytes that change after they were added', () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const frames: Buffer[] = [];
    const writer = new FrameWriter(noObjects, (frame) => frames.push(frame));
    writer.add(bytes);
    bytes.fill(0);
    writer.flush();
    expect(heard(Buffer.concat(frames), 1000)).toEqual([Uint8Array.of(1, 2, 3)]);
  });
});
