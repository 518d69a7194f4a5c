/** What is no guest is refused with a sentence, and nothing is started. */
import { expect, test } from 'vitest';
import { rejection, scripted } from './support.ts';

const handlers = {
  console: () => {},
  debugConsole: () => {},
  exit: () => undefined,
  ended: () => {},
  failed: () => {},
};

const mistakes = [
  ['`options` must be an object', () => undefined],
  ['`vm` must be a Vm', (right: object) => ({ ...right, vm: {} })],
  ['`vcpus[0]` must be a Vcpu', (right: object) => ({ ...right, vcpus: [{}] })],
  ['`vcpus` must have at least one vCPU', (right: object) => ({ ...right, vcpus: [] })],
  [
    '`runBytes` must be an integer from 2352 to 1048576',
    (right: object) => ({ ...right, runBytes: 1 }),
  ],
  [
    '`handlers.exit` must be a function',
    (right: object) => ({ ...right, handlers: { ...handlers, exit: 1 } }),
  ],
  [
    '`debugExitPort` must be an integer from 0 to 65535',
    (right: object) => ({ ...right, debugExitPort: 65536 }),
  ],
  [
    '`consoleBytes` must be an integer from 1 to 1073741824',
    (right: object) => ({ ...right, consoleBytes: 0 }),
  ],
  [
    '`msiAddress` must be a BigInt from 0n to 2n ** 64n - 1n',
    (right: object) => ({ ...right, interrupt: {} }),
  ],
] as const;

test.for(mistakes)('%s', async ([message, wrong], context) => {
  const { addon, vm, vcpu, script } = await scripted(context);
  const { calls } = script();
  const right = { vm, vcpus: [vcpu], runBytes: 8192, handlers };
  const error = await rejection(addon.Guest.make(wrong(right) as never));
  expect(error.message).toBe(message);
  // The vCPU is nobody's afterwards: what stands against it is its file, which cannot be mapped.
  expect((await rejection(addon.Guest.make(right))).message).toBe(
    'mmap of kvm_run, 8192 bytes: ENODEV',
  );
  expect(calls()).toEqual([]);
});

test('a vCPU is of one guest, and once in it', async (context) => {
  const { addon, vm, vcpu } = await scripted(context);
  const twice = { vm, vcpus: [vcpu, vcpu], runBytes: 8192, handlers };
  expect(await rejection(addon.Guest.make(twice))).toMatchObject({
    code: 'EBUSY',
    message: '`vcpus[1]` is a vCPU of a guest already',
  });
});

test('a closed vCPU or VM is refused with EBADF', async (context) => {
  const { addon, vm, vcpu } = await scripted(context);
  await vcpu.close();
  const options = { vm, vcpus: [vcpu], runBytes: 8192, handlers };
  expect(await rejection(addon.Guest.make(options))).toMatchObject({ code: 'EBADF' });
});

test('no constructor can be called', async (context) => {
  const { addon } = await scripted(context);
  const Class = addon.Guest as unknown as new () => unknown;
  expect(() => new Class()).toThrow('Guest has no public constructor: use Guest.make()');
});
