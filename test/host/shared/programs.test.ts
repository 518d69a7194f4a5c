/** Programs on one shared host: whole TDs through the orchestrator, moves, limits that they share, and their deaths. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { GuestMemory, Host, UserMemory } from '../../../src/host/port.ts';
import {
  openSharedHost,
  protocolVersion,
  type SharedHost,
} from '../../../src/host/shared/index.ts';
import { openSimulatedHost } from '../../../src/host/simulated/index.ts';
import { startTd, type TdRun } from '../../../src/orchestrator/index.ts';
import { LocalSource, startMigration } from '../../../src/orchestrator/migration/index.ts';
import { hostProfiles, type TraceEvent } from '../../../src/simulator/index.ts';
import { helloPlan, profile } from '../../support/hello-plan.ts';
import { initVm } from './init-vm.ts';
import { type Served, serve } from './served.ts';

const kernelAbi = 'rfc-migration-v2';
const plan = await helloPlan(kernelAbi);

const withSlots = (slots: number) => ({
  ...hostProfiles[profile],
  platform: {
    ...hostProfiles[profile].platform,
    keyIds: { mktme: 0, tdxPrivate: slots + 1 },
  },
});

/** Nothing of any TD is left on the machine. */
const nothing = {
  vms: [],
  keySlots: { assigned: 0, leaked: 0 },
  hostPages: { inUse: 0, leaked: 0 },
};

const plain = (value: unknown) =>
  JSON.parse(JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? `${each}` : each)));

/** A TD from its start to its end, with all that its run tells. */
async function life(host: Host): Promise<unknown> {
  const events: unknown[] = [];
  const run = startTd({ host, plan, onEvent: (event) => events.push(event) });
  expect(await run.runnable).toBe(true);
  run.send({ type: 'td.start' });
  expect(await run.reaches('running')).toBe(true);
  run.send({ type: 'td.pause' });
  expect(await run.reaches('paused')).toBe(true);
  const { mrtd } = run.context;
  run.stop();
  const outcome = await run.ended;
  return plain({ events: events.map(untold), outcome, mrtd });
}

/** The moment on the wall's clock is another one each time. */
const untold = (event: unknown) => ({ ...(event as object), at: undefined, time: undefined });

async function moved(host: Host): Promise<unknown> {
  const events: unknown[] = [];
  const onEvent = (event: unknown) => events.push(untold(event));
  const source = startTd({ host, plan, onEvent });
  await source.runnable;
  source.send({ type: 'td.start' });
  await source.reaches('running');
  const run = startMigration({
    source: new LocalSource(source),
    host,
    onEvent,
    onDestinationEvent: onEvent,
  });
  const { verdict } = await run.ended;
  run.destination?.stop();
  await run.destination?.ended;
  return plain({ events, verdict, source: source.state });
}

/** Asks one after the other, and dies after so many requests, without waiting for the last answer. */
class Mortal {
  made = 0;
  readonly #host: SharedHost;
  readonly #lastCall: number;

  constructor(host: SharedHost, lastCall: number) {
    this.#host = host;
    this.#lastCall = lastCall;
  }

  wrap<Thing extends object>(thing: Thing): Thing {
    return new Proxy(thing, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          const made: unknown = value.apply(target, args);
          if (!(made instanceof Promise)) return made;
          this.made++;
          if (this.made === this.#lastCall) queueMicrotask(() => this.#host.leave());
          return made;
        };
      },
    });
  }
}

describe('a shared host', () => {
  test('has a TD live as the machine itself does: the same events, times, requests and MRTD', async () => {
    const served = await serve({ profile, kernelAbi });
    const direct = await life(openSimulatedHost({ profile, kernelAbi }));
    expect(await life(await served.join())).toEqual(direct);
    expect(served.machine.snapshot()).toMatchObject(nothing);
  });

  test('moves a TD from one VM of a program to another as the machine itself does', async () => {
    const served = await serve({ profile, kernelAbi });
    const direct = await moved(openSimulatedHost({ profile, kernelAbi }));
    expect(direct).toMatchObject({ verdict: 'completed' });
    expect(await moved(await served.join())).toEqual(direct);
    expect(served.machine.snapshot()).toMatchObject(nothing);
  });

  test('gives its two slots to whoever comes first, and again to whoever comes after', async () => {
    const served = await serve({ profile: withSlots(2), kernelAbi });
    const runs: TdRun[] = [];
    const start = async (host: Host) => {
      const run = startTd({ host, plan, onEvent: () => undefined });
      runs.push(run);
      return run.runnable;
    };
    const programs = await Promise.all([served.join(), served.join(), served.join()]);
    const [first, second, third] = programs as [SharedHost, SharedHost, SharedHost];
    expect(await start(first)).toBe(true);
    expect(await start(second)).toBe(true);
    expect(await start(third)).toBe(false);
    expect(await runs[2]?.ended).toMatchObject({
      error: { refusal: { request: 'KVM_TDX_INIT_VM', errno: 'ENOSPC' } },
    });
    expect(await first.keySlots()).toEqual({ total: 2, used: 2 });
    first.leave();
    await served.programs(2);
    expect(await start(third)).toBe(true);
    second.leave();
    third.leave();
    await served.programs(0);
    expect(served.machine.snapshot()).toMatchObject(nothing);
  });

  test('has its machine whole again whatever request a program dies at', async () => {
    const served = await serve({ profile: withSlots(1), kernelAbi });
    let lastCall = 0;
    for (let made = 0; made >= lastCall; ) {
      lastCall++;
      const program = await served.join();
      const mortal = new Mortal(program, lastCall);
      await buildWith(mortal.wrap(program), mortal).catch(() => undefined);
      made = mortal.made;
      program.leave();
      await served.programs(0);
      expect(served.machine.snapshot(), `after request ${lastCall}`).toMatchObject(nothing);
    }
    expect(lastCall).toBeGreaterThan(12);
  });

  test('takes 64 programs that start at once, and has every slot back when they are gone', async () => {
    const served = await serve({ profile: withSlots(60), kernelAbi });
    const programs = await Promise.all(Array.from({ length: 64 }, () => served.join()));
    expect(new Set(programs.map(({ process }) => process)).size).toBe(64);
    const got = await Promise.allSettled(programs.map((program) => keyOf(program)));
    expect(got.filter(({ status }) => status === 'fulfilled')).toHaveLength(60);
    const refused = got.flatMap((each) => (each.status === 'rejected' ? [each.reason.code] : []));
    expect(refused).toEqual(Array(4).fill('ENOSPC'));
    for (const program of programs) program.leave();
    await served.programs(0);
    expect(served.machine.snapshot()).toMatchObject(nothing);
  });

  test('passes a VM and its memory from one program to another, for a move and nothing else', async () => {
    const { source, vm, guestMemory, destination, memory } = await twoPrograms();
    const passed = await destination.acceptVm(await source.grant(vm, destination.process));
    const into = await destination.createVm({ type: 'KVM_X86_TDX_VM' });
    await expect(passed.createVcpu({ id: 9 })).rejects.toMatchObject({ code: 'EIO' });
    const ticket = await source.grant(guestMemory, destination.process);
    await expect(source.acceptGuestMemory(ticket)).rejects.toMatchObject({
      code: 'TDCTL_E_NOT_FOUND',
    });
    const linked = await into.linkGuestMemfd({
      memory: await destination.acceptGuestMemory(ticket),
    });
    expect(linked.sizeBytes).toBe(guestMemory.sizeBytes);
    const seen = await destination.acceptMemory(await source.grant(memory, destination.process));
    expect(seen.read(4090n, 12)).toEqual(new Uint8Array(12).fill(5));
    await expect(destination.acceptGuestMemory(ticket)).rejects.toMatchObject({
      code: 'TDCTL_E_NOT_FOUND',
    });
  });

  test('moves a TD from one program to another, whose it is when the first has died', async () => {
    const served = await serve({ profile, kernelAbi });
    const [source, destination] = [await served.join(), await served.join()];
    const td = await builtTd(source);
    const mrtd = await td.vm.mrtd();
    const [vm, pages] = [
      await destination.acceptVm(await source.grant(td.vm, destination.process)),
      await destination.acceptGuestMemory(await source.grant(td.guestMemory, destination.process)),
    ];
    const into = await destination.createVm({ type: 'KVM_X86_TDX_VM' });
    await into.enableCap({ capability: 'KVM_CAP_SPLIT_IRQCHIP', args: [24n] });
    const vcpu = await into.createVcpu({ id: 0 });
    await vcpu.setCpuid2({ entries: td.cpuid });
    const guestMemory = await into.linkGuestMemfd({ memory: pages });
    const memory = await destination.mapMemory({ sizeBytes: tdBytes });
    await into.setUserMemoryRegion2(slotOf(memory, guestMemory));
    await into.moveEncContextFrom({ source: vm });
    // Whoever has them open keeps what is left of the source.
    for (const each of [vm, pages]) await each.close();
    expect(await into.mrtd()).toEqual(mrtd);
    await expect(td.vm.setTscKhz({ tscKhz: 1_000_000 })).rejects.toMatchObject({ code: 'EIO' });
    source.leave();
    await served.programs(1);
    expect(served.machine.snapshot()).toMatchObject({
      vms: [{ dead: false, td: { state: 'RUNNABLE' } }],
      keySlots: { assigned: 1 },
    });
    await into.setMemoryAttributes({ gpa: 0n, sizeBytes: tdBytes, isPrivate: true });
    const guest = await into.makeGuest({ vcpus: [vcpu], io: noIo });
    await guest.run();
    expect(guest.end).toBeUndefined();
    destination.leave();
    await served.programs(0);
    expect(served.machine.snapshot()).toMatchObject(nothing);
  });

  test('keeps what was passed for as long as the receiver lives, and no longer', async () => {
    const { served, source, vm, destination } = await twoPrograms();
    await source.grant(vm, destination.process);
    source.leave();
    await served.programs(1);
    // Nobody has taken it yet: it waits in the socket, and its key slot with it.
    expect(served.machine.keySlots.used).toBe(1);
    destination.leave();
    await served.programs(0);
    expect(served.machine.snapshot()).toMatchObject(nothing);
  });

  test('refuses to pass an object of one program for that of another', async () => {
    const { vm, destination } = await twoPrograms();
    const into = await destination.createVm({ type: 'KVM_X86_TDX_VM' });
    await expect(into.moveEncContextFrom({ source: vm })).rejects.toThrow(/has to grant it/);
    const stranger = await openSimulatedHost({ profile }).createVm({ type: 'KVM_X86_TDX_VM' });
    await expect(into.moveEncContextFrom({ source: stranger })).rejects.toThrow(
      'this VM was made by another host',
    );
  });

  test('meets faults that are asked for while it runs, and tells of the calls of all programs', async () => {
    const served = await serve({ profile, kernelAbi });
    const [one, other] = [await served.join(), await served.join()];
    const calls: TraceEvent[] = [];
    const quiet = served.machine.listen((event) => calls.push(event));
    served.faults.add([{ at: 'KVM_CREATE_VM', nth: 2, errno: 'ENOMEM' }]);
    expect(served.faults.unmet()).toHaveLength(1);
    await one.createVm({ type: 'KVM_X86_TDX_VM' });
    await expect(other.createVm({ type: 'KVM_X86_TDX_VM' })).rejects.toMatchObject({
      code: 'ENOMEM',
    });
    quiet();
    expect(served.faults.unmet()).toEqual([]);
    expect(calls.map(({ kind, mm }) => [kind, mm])).toEqual([
      ['ioctl', one.process],
      ['ioctl', other.process],
    ]);
  });

  test('tells who is on it', async () => {
    const served = await serve({ peerOf: () => ({ pid: 77, uid: 1000 }) });
    const program = await served.join({ cgroup: '/tds', tdctl: '9.9.9' });
    await program.keySlots();
    expect(program.cgroup).toBe('/tds');
    expect(served.shared.programs()).toMatchObject([
      { process: program.process, cgroup: '/tds', pid: 77, uid: 1000, tdctl: '9.9.9', calls: 1 },
    ]);
    await program.close();
    await served.programs(0);
  });
});

describe('a shared host that ends', () => {
  test('fails every call at once, says why, and gives back nothing that is gone', async () => {
    const served = await serve({ profile, kernelAbi });
    const program = await served.join();
    const events: string[] = [];
    const run = startTd({ host: program, plan, onEvent: ({ event }) => events.push(event) });
    await run.runnable;
    run.send({ type: 'td.start' });
    await run.reaches('running');
    await served.stop();
    const outcome = await run.ended;
    expect(JSON.stringify(plain(outcome))).toContain('the test is over');
    await expect(program.facts()).rejects.toMatchObject({ code: 'TDCTL_E_HOST_GONE' });
    await expect(program.createVm({ type: 'KVM_X86_TDX_VM' })).rejects.toThrow('the test is over');
    await program.close();
  });

  test.each([
    [
      'nobody has ever served',
      async (): Promise<string> => '/tmp/no-such-host.sock',
      'TDCTL_E_NOT_FOUND',
      3,
    ],
    [
      'has ended',
      async (): Promise<string> => {
        const served = await serve();
        await served.stop();
        return served.path;
      },
      'TDCTL_E_NOT_FOUND',
      3,
    ],
    [
      'belongs to another user',
      async (): Promise<string> => (await serve({ mayJoin: () => false })).path,
      'TDCTL_E_NOT_OWNER',
      1,
    ],
  ] as const)('cannot be joined where it %s', async (_, path, code, exitCode) => {
    await expect(openSharedHost(await path())).rejects.toMatchObject({ code, exitCode });
  });
});

describe('what answers in the place of a shared host', () => {
  test.each([
    [
      'one of a newer protocol',
      `tdctl-shared-host ${protocolVersion + 1} {"refused":"protocol","tdctl":"9.0.0"}\n`,
      /tdctl 9.0.0/,
      /use that tdctl/,
    ],
    [
      'one of an older protocol',
      'tdctl-shared-host 0 {"refused":"protocol","tdctl":"0.0.1"}\n',
      /version 0/,
      /start it with this one/,
    ],
    [
      'another server',
      'HTTP/1.1 400 Bad Request\r\n\r\n',
      /is no shared host/,
      /another program has the socket/,
    ],
    [
      'one that says nothing and goes',
      '',
      /closed the connection without a word/,
      /tdctl host list/,
    ],
  ])('is told for what it is: %s', async (_, answer, message, hint) => {
    const directory = mkdtempSync(join(tmpdir(), 'tdctl-shared-'));
    const path = join(directory, 'other.sock');
    const server = createServer((socket) => socket.end(answer).resume());
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const joining = openSharedHost(path, { name: 'on:lab' });
    await expect(joining).rejects.toMatchObject({
      op: 'join the shared host on:lab',
      exitCode: answer === '' ? 3 : 4,
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    });
    server.close();
    rmSync(directory, { recursive: true });
  });
});

describe('what comes over the socket of a shared host', () => {
  test.each([
    ['no greeting', 'GET / HTTP/1.1\r\n\r\n', /not understood/],
    ['a greeting without an end', `tdctl-shared-host ${'9'.repeat(5000)}`, /not understood/],
    ['another version', `tdctl-shared-host ${protocolVersion + 1} {}\n`, /"refused":"protocol"/],
    ['a frame of no length that there is', `${hello()}\xff\xff\xff\xff\xff\xff\xff\xff`, /bye/],
    ['a frame of no JSON', `${hello()}${frame('{')}`, /bye/],
    ['a frame of no messages', `${hello()}${frame('{"call":1}')}`, /bye/],
    [
      'bytes that are not there',
      `${hello()}${frame('[{"write":1,"pages":[0],"bytes":{"$bytes":9}}]')}`,
      /bye/,
    ],
    [
      'an object that is not there',
      `${hello()}${frame('[{"forget":{"$object":{"token":9}}}]')}`,
      /bye/,
    ],
    [
      'a method that is not there',
      `${hello()}${frame('[{"call":1,"on":0,"method":"constructor"}]')}`,
      /is not asked for/,
    ],
    [
      'an argument of another form',
      `${hello()}${frame('[{"call":1,"on":0,"method":"createVm","arg":{"type":7}}]')}`,
      /createVm: type/,
    ],
  ])(
    'is answered with words, where it is %s, and changes nothing for others',
    async (_, sent, answer) => {
      const served = await serve();
      const program = await served.join();
      expect(await answerTo(served, sent)).toMatch(answer);
      expect(await program.keySlots()).toMatchObject({ used: 0 });
      await served.programs(1);
    },
  );

  test('may come in any pieces', async () => {
    const served = await serve();
    const call = `${hello()}${frame('[{"call":1,"on":0,"method":"keySlots"}]')}`;
    const socket = connect(served.path);
    for (const byte of Buffer.from(call, 'latin1')) {
      socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const answer = await new Promise<string>((resolve) => {
      let heard = '';
      socket.on('data', (chunk) => {
        heard += chunk.toString('latin1');
        if (heard.includes('"answer":1')) resolve(heard);
      });
    });
    expect(answer).toContain('"used":0');
    socket.destroy();
  });
});

function hello(): string {
  return `tdctl-shared-host ${protocolVersion} {}\n`;
}

function frame(json: string): string {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(4 + json.length, 0);
  head.writeUInt32LE(json.length, 4);
  return `${head.toString('latin1')}${json}`;
}

/** Everything that comes back until the other side closes, or has answered a call. */
function answerTo({ path }: Served, sent: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = '';
    const socket = connect(path);
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1');
      if (heard.includes('"answer"')) socket.end();
    });
    socket.on('close', () => resolve(heard));
    socket.on('error', reject);
    socket.write(Buffer.from(sent, 'latin1'));
  });
}

/** Takes a key slot. */
async function keyOf(host: SharedHost) {
  const vm = await host.createVm({ type: 'KVM_X86_TDX_VM' });
  await vm.enableCap({ capability: 'KVM_CAP_SPLIT_IRQCHIP', args: [24n] });
  await initVm(vm, host);
  return vm;
}

async function twoPrograms() {
  const served = await serve({ profile, kernelAbi });
  const [source, destination] = [await served.join(), await served.join()];
  const vm = await keyOf(source);
  const guestMemory = await vm.createGuestMemfd({ sizeBytes: 0x20_0000n });
  const memory = await source.mapMemory({ sizeBytes: 0x20_0000n });
  memory.write({ offsetBytes: 4090n, bytes: new Uint8Array(12).fill(5) });
  return {
    ...{ served, source, destination, vm, guestMemory, memory },
  };
}

const tdBytes = 0x40_0000n;

const slotOf = (memory: UserMemory, guestMemory: GuestMemory) => ({
  ...{ slot: 0, gpa: 0n, sizeBytes: tdBytes, memory, memoryOffsetBytes: 0n },
  guestMemory: { memory: guestMemory, offsetBytes: 0n },
});

/** A TD from its VM to FINALIZE_VM. */
async function builtTd(host: SharedHost) {
  const vm = await keyOf(host);
  const vcpu = await vm.createVcpu({ id: 0 });
  const cpuid = await vcpu.tdxGetCpuid();
  await vcpu.setCpuid2({ entries: cpuid });
  await vcpu.tdxInitVcpu({ initialRcx: 0n });
  const memory = await host.mapMemory({ sizeBytes: tdBytes });
  memory.write({ offsetBytes: 4096n, bytes: new Uint8Array(100).fill(9) });
  const guestMemory = await vm.createGuestMemfd({ sizeBytes: tdBytes });
  await vm.setUserMemoryRegion2(slotOf(memory, guestMemory));
  await vm.setMemoryAttributes({ gpa: 0n, sizeBytes: tdBytes, isPrivate: true });
  const region = { source: memory, sourceOffsetBytes: 0n, gpa: 0n, pages: 4, measure: true };
  await vcpu.tdxInitMemRegion(region);
  await vm.tdxFinalizeVm();
  return { vm, guestMemory, cpuid };
}

/** A TD from its VM to its first pages, with everything wrapped. */
async function buildWith(host: Host, mortal: Mortal) {
  const vm = mortal.wrap(await host.createVm({ type: 'KVM_X86_TDX_VM' }));
  await vm.enableCap({ capability: 'KVM_CAP_SPLIT_IRQCHIP', args: [24n] });
  await initVm(vm, host);
  const made = await vm.createVcpu({ id: 0 });
  const vcpu = mortal.wrap(made);
  await vcpu.setCpuid2({ entries: await vcpu.tdxGetCpuid() });
  await vcpu.tdxInitVcpu({ initialRcx: 0n });
  const memory = await host.mapMemory({ sizeBytes: tdBytes });
  const guestMemory = await vm.createGuestMemfd({ sizeBytes: tdBytes });
  await vm.setUserMemoryRegion2(slotOf(memory, guestMemory));
  await vm.setMemoryAttributes({ gpa: 0n, sizeBytes: tdBytes, isPrivate: true });
  await vcpu.tdxInitMemRegion({
    ...{ source: memory, sourceOffsetBytes: 0n, gpa: 0n, pages: 1024, measure: true },
  });
  await vm.tdxFinalizeVm();
  const guest = mortal.wrap(await vm.makeGuest({ vcpus: [made], io: noIo }));
  await guest.run();
  await guest.pause();
  await vm.tdxTerminateVm().catch(() => undefined);
  await vm.close();
}

const noIo = { console() {}, debugConsole() {}, exit: async () => undefined, failed() {} };
