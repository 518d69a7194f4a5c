/** What stands for each kind of file that a call makes. */
import { constants } from 'node:fs';
import type { NewFile } from '../../native/index.ts';
import type { MadeFile } from '../simulator/index.ts';
import { runPageBytes } from './codec/index.ts';

type Shapes = {
  readonly [Kind in MadeFile['kind']]: (
    made: Extract<MadeFile, { readonly kind: Kind }>,
  ) => NewFile;
};

const shapes: Shapes = {
  system: () => ({ ...anonymous('kvm'), system: true }),
  vm: () => anonymous('kvm-vm'),
  vcpu: ({ id }) => ({
    ...anonymous(`kvm-vcpu:${id}`),
    sizeBytes: BigInt(runPageBytes),
    mapped: true,
    mappable: 'any',
  }),
  // No other fd of KVM's lacks close-on-exec (__kvm_gmem_create() in virt/kvm/guest_memfd.c).
  guest_memfd: ({ sizeBytes, mappable }) => ({
    ...anonymous('guest_memfd'),
    sizeBytes,
    closeOnExec: false,
    mappable: mappable ? 'shared' : 'no',
  }),
  stats: ({ sizeBytes }) => ({
    ...anonymous('kvm-stats'),
    sizeBytes,
    mapped: true,
    flags: constants.O_RDONLY,
  }),
  device: () => anonymous('kvm-vfio'),
};

export function newFile(made: MadeFile): NewFile {
  return (shapes[made.kind] as (made: MadeFile) => NewFile)(made);
}

function anonymous(name: string): NewFile {
  return {
    name,
    sizeBytes: 0n,
    mapped: false,
    mappable: 'no',
    system: false,
    closeOnExec: true,
    flags: constants.O_RDWR,
  };
}
