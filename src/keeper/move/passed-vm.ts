/** What has come of a TD from another process as fds: its VM, or where that cannot pass, its memory alone. */
import type { PassedFd } from '../../../native/index.ts';
import { type FdPassingHost, passesVms } from '../../host/passing.ts';
import type { GuestMemory, UserMemory, VmFile } from '../../host/port.ts';
import { Lane } from './lane.ts';
import type { Passed, PassedObject } from './protocol.ts';
import type { SourceVm } from './source-vm.ts';

interface Came {
  readonly answer: Passed;
  readonly fds: readonly PassedFd[];
}

interface Accepted {
  readonly vm: VmFile | undefined;
  readonly guestMemory: ReadonlyMap<number, GuestMemory>;
  readonly slotMemory: ReadonlyMap<number, UserMemory>;
  readonly lane: Lane | undefined;
  close(): Promise<void>;
}

/** @throws the error of the system call, and nothing of it is left open then. */
export async function acceptPassed(host: FdPassingHost, { answer, fds }: Came): Promise<Accepted> {
  const vms: VmFile[] = [];
  const guestMemory = new Map<number, GuestMemory>();
  const slotMemory = new Map<number, UserMemory>();
  const lanes: Lane[] = [];
  const accept = async (object: PassedObject, fd: PassedFd) => {
    if (object.kind === 'lane') lanes.push(await Lane.accept(fd));
    else if (object.kind === 'memory') slotMemory.set(object.slot, await host.acceptMemory(fd));
    else if (!passesVms(host)) throw new Error(`a ${object.kind} came to a host that takes none`);
    else if (object.kind === 'vm') vms.push(host.acceptVm(fd));
    else guestMemory.set(object.slot, host.acceptGuestMemory(fd, object.sizeBytes));
  };
  const close = async () => {
    const taken = [...vms, ...guestMemory.values(), ...slotMemory.values(), ...lanes];
    for (const each of taken) await each.close();
  };
  try {
    for (const [at, object] of answer.objects.entries()) {
      const fd = fds[at];
      if (fd === undefined) throw new Error(`${fds.length} fds came for ${answer.objects.length}`);
      await accept(object, fd);
    }
  } catch (error) {
    await Promise.all(fds.map((fd) => fd.close()));
    await close();
    throw error;
  }
  return { vm: vms[0], guestMemory, slotMemory, lane: lanes[0], close };
}

export async function passedVm(host: FdPassingHost, came: Came): Promise<SourceVm> {
  const { vm, guestMemory, slotMemory, close } = await acceptPassed(host, came);
  if (vm === undefined) {
    await close();
    throw new Error('the VM was not among what was passed');
  }
  return {
    origin: { tdCpuid: came.answer.tdCpuid, guestMemory, slotMemory },
    vm,
    // A VM answers nobody but its maker.
    hasTd: async () => true,
    moved: () => vm.close(),
    close,
  };
}
