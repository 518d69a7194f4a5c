/** From the text of `--host` to a host. */
import { TdctlError } from '../errors/index.ts';
import { sharedHost } from '../host/identity.ts';
import type { Host } from '../host/port.ts';
import type { SimulatedHost } from '../host/simulated/index.ts';
import type { SoftHost } from '../host/soft/soft-host.ts';
import type { FaultInjector } from '../simulator/index.ts';
import { isHostFile } from './host-file.ts';
import { hostProfile } from './host-profile.ts';
import type { CommandIo } from './io.ts';
import { say } from './output/print.ts';

export interface HostChoice {
  /** The value of `--host`. */
  readonly host: string;
  /** The value of `--kernel`; without one a simulated host has the default, and a real one is asked. */
  readonly kernel?: string | undefined;
  /** The faults of `--fault`; a real host has none. */
  readonly faults?: FaultInjector | undefined;
}

/** The calls of such a host, `sim` or `soft`, can be listened to. */
export type SimulatingHost = SimulatedHost | SoftHost;

export function canBeTraced(host: Host): host is SimulatingHost {
  return 'onCall' in host;
}

/** @throws TdctlError where there is no such host, or it has no TDX. */
export async function openHost(choice: HostChoice, io: CommandIo): Promise<Host> {
  const [kind = '', profile] = split(choice.host);
  switch (kind) {
    case 'auto':
      return openAuto(choice, io);
    case 'kvm':
      return openKvm(choice.kernel);
    case 'soft':
    case 'sim':
      return openSimulatingHost(kind, profile, choice);
    case 'on':
      return openShared(profile, choice, io);
    default:
      throw new TdctlError({
        code: 'TDCTL_E_USAGE',
        op: 'choose a host',
        place: '--host',
        message: `there is no host \`${choice.host}\``,
        hint: isHostFile(choice.host)
          ? `--host sim:${choice.host} simulates the host that this file describes`
          : 'use auto, kvm, soft, soft:PROFILE, sim, sim:PROFILE, sim:FILE or on:NAME',
      });
  }
}

/** Whether instructions of a guest are executed on the host of this name. */
export function executesGuests(host: string): boolean {
  const [kind] = split(host);
  return kind !== 'sim' && kind !== 'on';
}

/** @param option the one that asks for a simulated host: a real one has neither faults nor a trace */
export function requireSimulatedHost(host: string, option: string): void {
  const [kind = '', name] = split(host);
  if (kind === 'on') throw ofTheHost(option, name ?? 'NAME');
  if (kind !== 'kvm' && kind !== 'auto') return;
  throw new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'choose a host',
    place: option,
    message: `${option} is for simulated hosts, and \`--host ${kind}\` ${kind === 'kvm' ? 'is real' : 'may be real'}`,
    hint: 'add `--host sim` or `--host soft`',
  });
}

/** What all programs on a shared host have in common is not one command's. */
function ofTheHost(option: string, name: string): TdctlError {
  const instead =
    option === '--trace' ? `tdctl host trace ${name}` : `tdctl host fault ${name} FAULT`;
  return new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'choose a host',
    place: option,
    message: `${option} is for a host of one command, and \`${sharedHost(name)}\` is shared`,
    hint: option === '--trace' || option === '--fault' ? `\`${instead}\`` : 'use `--host sim`',
  });
}

/** @throws TdctlError TDCTL_E_USAGE for a kernel: the host has one already. */
async function openShared(name = '', { host, kernel }: HostChoice, io: CommandIo): Promise<Host> {
  if (kernel !== undefined) {
    throw new TdctlError({
      code: 'TDCTL_E_USAGE',
      op: 'choose a host',
      place: '--kernel',
      message: `\`${host}\` has its kernel, which was chosen when it was started`,
      hint: 'leave out --kernel, or start another host: `tdctl host start NAME --kernel ABI`',
    });
  }
  const { joinShared } = await import('./shared-host/reach.ts');
  const joined = await joinShared(name, io.env);
  const { tdxMissing } = joined;
  if (tdxMissing === undefined) return joined;
  await joined.close();
  throw offersNoTds(host, tdxMissing);
}

async function openKvm(kernel: string | undefined): Promise<Host> {
  const { openKvmHost } = await import('../host/kvm/kvm-host.ts');
  if (kernel === undefined) return openKvmHost();
  const { kernelNamed } = await import('./kernel-named.ts');
  return openKvmHost(
    kernelNamed(kernel, { op: 'choose the rules of the kernel', place: '--kernel' }),
  );
}

async function openSimulatingHost(
  kind: 'sim' | 'soft',
  profileText: string | undefined,
  { kernel: kernelAbi, faults }: HostChoice,
): Promise<SimulatingHost> {
  const profile = profileText === undefined ? undefined : await hostProfile(profileText);
  const options = { profile, kernelAbi, faults };
  const host =
    kind === 'soft'
      ? await (await import('../host/soft/soft-host.ts')).openSoftHost(options)
      : (await import('../host/simulated/index.ts')).openSimulatedHost(options);
  if (host.tdxMissing === undefined) return host;
  const { name } = await host.facts();
  const reason = host.tdxMissing;
  await host.close();
  throw offersNoTds(name, reason);
}

function offersNoTds(name: string, reason: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_HOST_UNSUPPORTED',
    op: `open the host ${name}`,
    message: 'this simulated host has KVM and offers no TDs',
    details: [`the kernel says: ${reason}`],
    hint: 'give it a TDX module in a SimulatedHost file, `module: {}` beside `from:` (docs/host-files.md), or choose another profile',
  });
}

/** `sim:spr-1.5` is `sim` and `spr-1.5`; a profile may hold further colons. */
function split(host: string): [kind: string, profile: string | undefined] {
  const colon = host.indexOf(':');
  return colon === -1 ? [host, undefined] : [host.slice(0, colon), host.slice(colon + 1)];
}

/** This is for who only judges, and says of which host. Who acts takes `openHostToActOn`. */
async function openAuto(choice: HostChoice, io: CommandIo): Promise<Host> {
  try {
    return await openHost({ ...choice, host: 'kvm' }, io);
  } catch (error) {
    if (!(error instanceof TdctlError) || error.code !== 'TDCTL_E_HOST_UNSUPPORTED') throw error;
    say(
      io,
      'note: no TDX on this machine, so this speaks of a simulated host (--host sim); `tdctl doctor` says what is missing',
    );
    return openHost({ ...choice, host: 'sim' }, io);
  }
}
