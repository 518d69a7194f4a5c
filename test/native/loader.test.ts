import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  type Addon,
  addonLocations,
  type FdChannel,
  type Guest,
  type GuestMemfd,
  type HeldCommand,
  type PassedFd,
  type Pidfd,
  type Supervisor,
  type System,
  type Testing,
  tryInOrder,
  type UserMemory,
  type Vcpu,
  type Vm,
} from '../../native/index.ts';
import { requireAddon } from './support.ts';

// The type checker refuses a table that lacks a declared name; the tests compare the rest.
const addonNames = {
  System: true,
  Vm: true,
  Vcpu: true,
  GuestMemfd: true,
  UserMemory: true,
  HeldCommand: true,
  Supervisor: true,
  Guest: true,
  exchange: true,
  FdChannel: true,
  PassedFd: true,
  Pidfd: true,
  lockHolder: true,
  peerCredentials: true,
  sendDatagram: true,
  tryLock: true,
  guestStateLayout: true,
  leakedFds: true,
  testing: true,
} satisfies Record<keyof Addon, true>;
const systemNames = {
  fd: true,
  close: true,
  kvmGetApiVersion: true,
  kvmCheckExtension: true,
  kvmCreateVm: true,
  kvmGetVcpuMmapSize: true,
  kvmGetSupportedCpuid: true,
  kvmGetMsrIndexList: true,
} satisfies Record<keyof System, true>;
const vmNames = {
  fd: true,
  close: true,
  kvmCheckExtension: true,
  kvmEnableCap: true,
  kvmMoveEncContextFrom: true,
  kvmCreateIrqchip: true,
  kvmCreateVcpu: true,
  kvmCreateVcpus: true,
  kvmSetTscKhz: true,
  kvmSetUserMemoryRegion: true,
  kvmSetUserMemoryRegion2: true,
  kvmCreateGuestMemfd: true,
  kvmLinkGuestMemfd: true,
  kvmGetTscKhz: true,
  kvmCreatePit2: true,
  kvmGetPit2: true,
  kvmSetPit2: true,
  kvmGetClock: true,
  kvmSetClock: true,
  kvmGetIrqchip: true,
  kvmSetIrqchip: true,
  kvmIrqLine: true,
  kvmSignalMsi: true,
  getState: true,
  setState: true,
  kvmSetMemoryAttributes: true,
  tdxCapabilities: true,
  tdxInitVm: true,
  tdxInitVmFixed: true,
  tdxFinalizeVm: true,
  tdxTerminateVm: true,
} satisfies Record<keyof Vm, true>;
const vcpuNames = {
  fd: true,
  close: true,
  id: true,
  kvmSetCpuid2: true,
  kvmSetTscKhz: true,
  tdxInitVcpu: true,
  tdxInitMemRegion: true,
  tdxGetCpuid: true,
  kvmGetRegs: true,
  kvmSetRegs: true,
  kvmGetSregs: true,
  kvmSetSregs: true,
  kvmGetSregs2: true,
  kvmSetSregs2: true,
  kvmGetXcrs: true,
  kvmSetXcrs: true,
  kvmGetVcpuEvents: true,
  kvmSetVcpuEvents: true,
  kvmGetDebugregs: true,
  kvmSetDebugregs: true,
  kvmGetLapic: true,
  kvmSetLapic: true,
  kvmGetXsave: true,
  kvmSetXsave: true,
  kvmGetMpState: true,
  kvmSetMpState: true,
  kvmGetMsrs: true,
  kvmSetMsrs: true,
  kvmGetTscOffset: true,
  kvmSetTscOffset: true,
  kvmGetXsave2: true,
  kvmGetTscKhz: true,
  getState: true,
  setState: true,
} satisfies Record<keyof Vcpu, true>;
const guestMemfdNames = {
  fd: true,
  close: true,
  sizeBytes: true,
  punchHole: true,
  kvmSetMemoryAttributes2: true,
} satisfies Record<keyof GuestMemfd, true>;
const guestNames = {
  run: true,
  pause: true,
  stop: true,
  input: true,
  counts: true,
  entered: true,
  times: true,
  awaitParked: true,
  awaitCalled: true,
  tellNow: true,
  preparePacked: true,
  getPacked: true,
  setPacked: true,
  getDevices: true,
  setDevices: true,
} satisfies Record<keyof Guest, true>;
const userMemoryNames = {
  address: true,
  fd: true,
  sizeBytes: true,
  write: true,
  read: true,
  discard: true,
  close: true,
} satisfies Record<keyof UserMemory, true>;
const supervisorNames = {
  pid: true,
  answer: true,
  refuse: true,
  install: true,
  isWaiting: true,
  findFile: true,
  hasDescriptor: true,
  letThrough: true,
  readMemory: true,
  untilSignal: true,
  hasSignal: true,
  writeMemory: true,
  signal: true,
  endAll: true,
  stop: true,
  keep: true,
  answerByItself: true,
} satisfies Record<keyof Supervisor, true>;
const heldCommandNames = {
  pid: true,
  pass: true,
  command: true,
  guard: true,
  letGo: true,
  hear: true,
  look: true,
  endOrphans: true,
  signal: true,
  endAll: true,
  finish: true,
} satisfies Record<keyof HeldCommand, true>;
const pidfdNames = {
  fd: true,
  close: true,
  ended: true,
  signal: true,
} satisfies Record<keyof Pidfd, true>;
const fdChannelNames = {
  fd: true,
  close: true,
  send: true,
  receive: true,
  sendNow: true,
  receiveNow: true,
} satisfies Record<keyof FdChannel, true>;
const passedFdNames = { fd: true, close: true, take: true } satisfies Record<keyof PassedFd, true>;
const testingNames = {
  script: true,
  numbers: true,
  structSizes: true,
  stallTimeoutMs: true,
} satisfies Record<keyof Testing, true>;

const sorted = (names: Iterable<string>) => [...names].sort();

test('the addon exports the declared names and no other', (context) => {
  const addon = requireAddon(context);
  expect(sorted(Object.keys(addon))).toEqual(sorted(Object.keys(addonNames)));
  expect(sorted(Object.keys(addon.testing))).toEqual(sorted(Object.keys(testingNames)));
});

test('each class has the declared members and no other', (context) => {
  const addon = requireAddon(context);
  const declared = {
    System: systemNames,
    Vm: vmNames,
    Vcpu: vcpuNames,
    GuestMemfd: guestMemfdNames,
    UserMemory: userMemoryNames,
    HeldCommand: heldCommandNames,
    Supervisor: supervisorNames,
    Guest: guestNames,
    Pidfd: pidfdNames,
    FdChannel: fdChannelNames,
    PassedFd: passedFdNames,
  };
  for (const [name, names] of Object.entries(declared)) {
    const { prototype } = addon[name as keyof typeof declared] as unknown as { prototype: object };
    const members = Object.getOwnPropertyNames(prototype).filter((key) => key !== 'constructor');
    expect(sorted(members), name).toEqual(sorted(Object.keys(names)));
  }
});

test('an addon built here comes before the one of the package, and a release build before a debug one', () => {
  expect(addonLocations).toEqual([
    'build/Release/tdctl.node',
    'build/Debug/tdctl.node',
    'prebuilds/linux-x64.node',
  ]);
});

test('the loader says of every file why it could not be used, and throws nothing', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tdctl-loader-'));
  try {
    const broken = join(directory, 'broken.node');
    writeFileSync(broken, 'not a shared object');
    const native = tryInOrder([join(directory, 'absent.node'), broken]);
    expect(native).toMatchObject({
      available: false,
      tried: [
        { path: join(directory, 'absent.node'), reason: 'no such file' },
        { path: broken, reason: expect.stringMatching(/file too short|invalid ELF header/) },
      ],
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
});
