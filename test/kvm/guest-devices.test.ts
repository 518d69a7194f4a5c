/** The devices of a guest, and of its VM, that go along to another VM of the real /dev/kvm. */
import { expect, test } from 'vitest';
import {
  counterAt,
  enterRealMode,
  type MachineVm,
  requireMachine,
  takesIrq4At,
} from './guest-support.ts';

const ascii = (text: string) => Buffer.from(text);

/**
 * Sets up COM1: a divisor of 12, and interrupts for input. It says `r`, and waits for a byte in memory; then it
 * prints its divisor, and echoes by the interrupt alone.
 */
const setsUpItsPort = new Uint8Array(0x114);
setsUpItsPort.set([
  ...takesIrq4At(0x1100),
  ...[0xba, 0xfb, 0x03, 0xb0, 0x83, 0xee], // outb $0x83, $0x3fb: the latch of the divisor
  ...[0xba, 0xf8, 0x03, 0xb0, 0x0c, 0xee], // outb $12, $0x3f8
  ...[0xba, 0xfb, 0x03, 0xb0, 0x03, 0xee], // outb $3, $0x3fb
  ...[0xba, 0xf9, 0x03, 0xb0, 0x01, 0xee], // outb $1, $0x3f9: interrupts for input
  ...[0xba, 0xf8, 0x03, 0xb0, 0x72, 0xee], // outb $'r', $0x3f8
  ...[0x80, 0x3e, 0x00, 0x20, 0x00], // 1: cmpb $0, 0x2000
  ...[0x74, 0xf9], // je 1b
  ...[0xba, 0xfb, 0x03, 0xb0, 0x83, 0xee], // outb $0x83, $0x3fb
  ...[0xba, 0xf8, 0x03, 0xec], // inb $0x3f8, %al
  ...[0x88, 0xc3], // mov %al, %bl
  ...[0xba, 0xfb, 0x03, 0xb0, 0x03, 0xee], // outb $3, $0x3fb
  ...[0xba, 0xf8, 0x03, 0x88, 0xd8, 0xee], // outb %bl, $0x3f8
  0xfb, // 2: sti
  0xf4, // hlt
  ...[0xeb, 0xfc], // jmp 2b
]);
setsUpItsPort.set(
  [
    ...[0xba, 0xfd, 0x03, 0xec], // 3: inb $0x3fd, %al
    ...[0xa8, 0x01], // test $1, %al
    ...[0x74, 0x07], // jz 4f
    ...[0xba, 0xf8, 0x03, 0xec], // inb $0x3f8, %al
    0xee, // outb %al, $0x3f8
    ...[0xeb, 0xf1], // jmp 3b
    ...[0xb0, 0x20, 0xe6, 0x20], // 4: the interrupt has been handled
    0xcf, // iret
  ],
  0x100,
);

/** All but the memory, which they share, and the guest's own devices. */
async function moveVm(from: MachineVm, to: MachineVm): Promise<void> {
  await to.vm.setState(await from.vm.getState({ irqchip: true, pit: false, clock: true }));
  await to.vcpu.setState(await from.vcpu.getState(from.shape));
}

test('a guest that has set up its serial port, and has input it has not read, goes on in another VM', async (context) => {
  const { makeVm, memory } = await requireMachine(context, setsUpItsPort);
  const [source, target] = await Promise.all([
    makeVm({ irqchip: true }),
    makeVm({ irqchip: true }),
  ]);
  await enterRealMode(source.vcpu);
  const options = { interrupt: { line: 4 } };
  const before = await source.start({}, options);
  before.guest.run();
  await before.written(1);
  before.guest.input(ascii('typed before, '));
  await before.guest.pause();
  const devices = before.guest.getDevices();
  expect(devices.com1).toMatchObject({ divisor: 12, interruptEnable: 1, lineControl: 3 });
  expect(Buffer.from(devices.com1.received).toString()).toBe('typed before, ');

  const after = await target.start({}, options);
  await moveVm(source, target);
  after.guest.setDevices(devices);
  before.guest.stop();
  memory.write(counterAt, Uint8Array.of(1));
  after.guest.run();
  await after.written(15);
  // The line was lowered by the target, or this would make no edge.
  after.guest.input(ascii('typed after'));
  await after.written(26);
  expect(after.console().toString()).toBe('\x0ctyped before, typed after');
  expect(before.console().toString()).toBe('r');
});

test('a guest that is moved to and fro, while it is typed at, reads each byte once', async (context) => {
  const { makeVm, memory } = await requireMachine(context, setsUpItsPort);
  let [source, target] = await Promise.all([makeVm({ irqchip: true }), makeVm({ irqchip: true })]);
  await enterRealMode(source.vcpu);
  memory.write(counterAt, Uint8Array.of(1));
  const options = { interrupt: { line: 4 } };
  let heard = '';
  const handlers = {
    console: (bytes: Uint8Array) => {
      heard += Buffer.from(bytes).toString();
    },
  };
  let [from, to] = await Promise.all([
    source.start(handlers, options),
    target.start(handlers, options),
  ]);
  let typed = '';
  for (let move = 0; move < 100; move += 1) {
    from.guest.run();
    const line = `line ${move}, `;
    from.guest.input(ascii(line));
    typed += line;
    if (move % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
    await from.guest.pause();
    await moveVm(source, target);
    to.guest.setDevices(from.guest.getDevices());
    [source, target, from, to] = [target, source, to, from];
  }
  from.guest.run();
  while (heard.length < typed.length + 2) await new Promise((resolve) => setImmediate(resolve));
  expect(heard).toBe(`r\x0c${typed}`);
});
