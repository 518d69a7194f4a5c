/** What stands for the file that a call makes. */
import { constants } from 'node:fs';
import type { NewFile } from '../../native/index.ts';
import type { Request, RunRequest } from '../simulator/index.ts';
import { type FileKind, runPageBytes } from './codec/index.ts';

type Shape = NewFile & { readonly kind: FileKind };

/** @returns undefined where the call makes no file. */
export function newFile(request: Request | RunRequest): Shape | undefined {
  switch (request.request) {
    case 'KVM_CREATE_VM':
      return { kind: 'vm', ...anonymous('kvm-vm') };
    case 'KVM_CREATE_VCPU':
      return {
        kind: 'vcpu',
        ...anonymous(`kvm-vcpu:${request.id}`),
        sizeBytes: BigInt(runPageBytes),
        mapped: true,
      };
    case 'KVM_CREATE_GUEST_MEMFD': {
      // No other fd of KVM's lacks close-on-exec (__kvm_gmem_create() in virt/kvm/guest_memfd.c).
      const sizeBytes = request.create.read()?.size ?? 0n;
      return { kind: 'guest_memfd', ...anonymous('guest_memfd'), sizeBytes, closeOnExec: false };
    }
    case 'KVM_GET_STATS_FD':
      return { kind: 'stats', ...anonymous('kvm-stats'), flags: constants.O_RDONLY };
    default:
      return undefined;
  }
}

function anonymous(name: string): NewFile {
  const empty = { sizeBytes: 0n, mapped: false, system: false };
  return { name, ...empty, closeOnExec: true, flags: constants.O_RDWR };
}
