/**
 * What a VM is made of, on its way from one process to another on the same machine. How it gets there is the host's:
 * as fds by SCM_RIGHTS, as grants of a shared host; and where the TDX module is simulated in each process, not at all.
 */
import type { PassedFd } from '../../native/index.ts';
import type { GuestMemory, Host, UserMemory, Vm, VmFile } from './port.ts';

/** A host whose objects pass as grants: texts that the other program gives to the host, once. */
export interface GrantingHost extends Host {
  /** The number of this program on the host. */
  readonly process: number;
  grant(object: Vm | GuestMemory | UserMemory, to: number): Promise<string>;
  acceptVm(ticket: string): Promise<Vm>;
  acceptGuestMemory(ticket: string): Promise<GuestMemory>;
  acceptMemory(ticket: string): Promise<UserMemory>;
}

export function grants(host: Host): host is GrantingHost {
  return 'grant' in host;
}

/** A host whose memory is a file of the kernel. */
export interface FdPassingHost extends Host {
  /** What is given to a channel to be sent. */
  fdOf(memory: UserMemory): { readonly fd: number };
  /** Takes the fd over. Maps memory of another process, which is closed there as here by itself. */
  acceptMemory(fd: PassedFd): Promise<UserMemory>;
}

export function passesFds(host: Host): host is FdPassingHost {
  return 'fdOf' in host;
}

/** A host all of whose objects are files of the kernel. Each fd is taken over. */
export interface VmPassingHost extends FdPassingHost {
  fdOf(object: Vm | GuestMemory | UserMemory): { readonly fd: number };
  acceptVm(fd: PassedFd): VmFile;
  acceptGuestMemory(fd: PassedFd, sizeBytes: bigint): GuestMemory;
}

export function passesVms(host: FdPassingHost): host is VmPassingHost {
  return 'acceptVm' in host;
}

/** A host that lies in each process, of which other processes can be simulated. */
export interface HostWithProcesses extends Host {
  otherProcess(identity: { readonly mm: number; readonly cgroup: string }): Host;
}

export function hasProcesses(host: Host): host is HostWithProcesses {
  return 'otherProcess' in host;
}
