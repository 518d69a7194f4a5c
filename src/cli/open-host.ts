/** From the text of `--host` to a host. */
import { TdctlError } from '../errors/index.ts';
import type { Host } from '../host/port.ts';
import type { CommandIo } from './io.ts';

export interface HostChoice {
  /** As given to `--host`. */
  readonly host: string;
  /** As given to `--kernel`. */
  readonly kernel: string;
}

export async function openHost(choice: HostChoice, io: CommandIo): Promise<Host> {
  const [kind = '', profile] = split(choice.host);
  switch (kind) {
    case 'auto':
      return openAuto(choice, io);
    case 'kvm':
      return (await import('../host/kvm/kvm-host.ts')).openKvmHost();
    case 'soft':
      return (await import('../host/soft/soft-host.ts')).openSoftHost({
        profile,
        kernelAbi: choice.kernel,
      });
    case 'sim':
      return (await import('../host/simulated/index.ts')).openSimulatedHost({
        profile,
        kernelAbi: choice.kernel,
      });
    default:
      throw new TdctlError({
        code: 'TDCTL_E_USAGE',
        op: 'choose a host',
        place: '--host',
        message: `there is no host \`${choice.host}\``,
        hint: 'use auto, kvm, soft, soft:PROFILE, sim or sim:PROFILE',
      });
  }
}

/** `sim:spr-1.5` is `sim` and `spr-1.5`; a profile may hold further colons. */
function split(host: string): [kind: string, profile: string | undefined] {
  const colon = host.indexOf(':');
  return colon === -1 ? [host, undefined] : [host.slice(0, colon), host.slice(colon + 1)];
}

async function openAuto(choice: HostChoice, io: CommandIo): Promise<Host> {
  try {
    return await openHost({ ...choice, host: 'kvm' }, io);
  } catch (error) {
    if (!(error instanceof TdctlError) || error.code !== 'TDCTL_E_HOST_UNSUPPORTED') throw error;
    io.stderr.write(
      'note: no TDX on this machine, so this runs on the simulated host (--host sim); `tdctl doctor` says what is missing\n',
    );
    return openHost({ ...choice, host: 'sim' }, io);
  }
}
