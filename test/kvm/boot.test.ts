/** Kernels of a few instructions, started by both protocols on the real /dev/kvm. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import { withSpecialRegisters } from '../../src/abi/kvm/registers.ts';
import { bzImage, pvhImage } from '../guest/boot/kernels.ts';
import { boot } from '../guest/boot/request.ts';
import { cli } from '../support/cli.ts';
import { projectRoot } from '../support/tdctl.ts';
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

/** A TrustDomain file that starts the file `vmlinux` beside it, and where that is. */
function bootedTd(context: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'tdctl-boot-'));
  context.onTestFinished(() => rmSync(directory, { recursive: true }));
  const spec = {
    vcpus: 1,
    memory: '64MiB',
    firmware: join(projectRoot, 'examples/firmware/hello.fd'),
    boot: { kernel: 'vmlinux', cmdline: 'quiet' },
  };
  const td = join(directory, 'td.json');
  const head = { apiVersion: 'tdctl.io/v1alpha1', kind: 'TrustDomain', metadata: { name: 'td' } };
  writeFileSync(td, JSON.stringify({ ...head, spec }));
  return { td, kernel: join(directory, 'vmlinux') };
}

test('the plan of soft shows what starts in place of the firmware, or why it cannot', async (context) => {
  await requireMachine(context, new Uint8Array());
  const { td, kernel } = bootedTd(context);
  const plan = () => cli(['plan', td, '--host', 'soft', '-o', 'json']);

  const missing = await plan();
  expect(missing.stdout).toContain('TDCTL_E_NOT_FOUND');
  writeFileSync(kernel, pvhImage());
  const made = JSON.parse((await plan()).stdout);
  expect(made.plan.boot).toMatchObject({
    ...{ protocol: 'pvh', kernelPath: kernel, initrdPath: null },
    ...{ cmdline: 'quiet', entry: '0x200000' },
  });
  writeFileSync(kernel, pvhImage({ noteName: 'GNU' }));
  const refused = await plan();
  expect(refused.exitCode).toBe(6);
  expect(JSON.parse(refused.stdout).findings).toMatchObject([
    { code: 'TDCTL_E_BOOT_INVALID', place: kernel },
  ]);
});

test.for<readonly [string, Uint8Array]>([
  ['a bzImage', bzImage()],
  ['an ELF image', pvhImage()],
])('run starts %s, shows what it prints, and ends as it powers off', async ([, image], context) => {
  await requireMachine(context, new Uint8Array());
  const { td, kernel } = bootedTd(context);
  writeFileSync(kernel, image);
  const run = await cli(['run', td, '--host', 'soft']);
  expect(run.stdout).toContain('│ quiet||RSD PTR');
  expect(run.stdout).toContain('powered off');
  expect(run.exitCode).toBe(0);
});

/** 1: mov $0x3f8,%edx; mov $'.',%al; out %al,(%dx); jmp 1b */
const printsOn = Uint8Array.of(0xba, 0xf8, 0x03, 0x00, 0x00, 0xb0, 0x2e, 0xee, 0xeb, 0xf6);

test('a kernel that was started moves to another VM', async (context) => {
  await requireMachine(context, new Uint8Array());
  const { td, kernel } = bootedTd(context);
  writeFileSync(kernel, bzImage({ code: printsOn }));
  const on = ['--host', 'soft', '--kernel', 'rfc-migration-v2'];
  const { exitCode, stdout } = await cli(['rehearse', td, ...on, '-o', 'json']);
  expect(exitCode).toBe(0);
  const { run } = JSON.parse(stdout);
  expect(run.results.map(({ verdict, result }: Result) => verdict ?? result)).toEqual([
    ...['done', 'completed', 'done'],
  ]);
  expect(run.violations).toEqual([]);
});

interface Result {
  readonly result: string;
  readonly verdict?: string;
}
