/** Kernels of a few instructions, started by both protocols on the real /dev/kvm. */
import { expect, test } from 'vitest';
import { withSpecialRegisters } from '../../src/abi/kvm/registers.ts';
import { bzImage, pvhImage } from '../guest/boot/kernels.ts';
import { boot } from '../guest/boot/request.ts';
import { requireMachine } from './guest-support.ts';

const memoryMib = 32;

test.for<readonly [string, Uint8Array]>([
  ['a bzImage', bzImage()],
  ['a 64-bit ELF image', pvhImage()],
  ['a 32-bit ELF image', pvhImage({ bits: 32 })],
])('%s finds all that it is told, and powers off', async ([, kernel], context) => {
  const { makeVm, memory } = await requireMachine(context, new Uint8Array(), {
    ramBytes: BigInt(memoryMib << 20),
  });
  const { vcpu, start } = await makeVm({ irqchip: true });
  const { writes, registers } = boot({
    kernel,
    initrd: Uint8Array.from(Buffer.from('an initrd')),
    cmdline: 'console=ttyS0',
    memoryMib,
  });
  for (const { gpa, bytes } of writes) memory.write(gpa, bytes);
  await vcpu.kvmSetSregs(withSpecialRegisters(await vcpu.kvmGetSregs(), registers.sregs));
  await vcpu.kvmSetRegs(registers.regs);
  const { guest, ended, console } = await start();
  guest.run();
  expect(await ended).toEqual({ kind: 'power-off', vcpu: 0 });
  expect(console().toString()).toBe('console=ttyS0|an initrd|RSD PTR ');
});
