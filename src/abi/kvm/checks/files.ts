/** What a guest_memfd answers to fallocate(), and a device of KVM_CREATE_DEVICE to its ioctls. */
import {
  checksIn,
  EBADF,
  EFAULT,
  EFBIG,
  EINTR,
  EINVAL,
  ENODEV,
  ENOENT,
  ENXIO,
  EOPNOTSUPP,
  EPERM,
} from './check.ts';
import { noMemory, unreadable, vmChecks } from './common.ts';

export const guestMemfdChecks = {
  fallocate: {
    ...checksIn('fs/open.c, vfs_fallocate()', {
      'fallocate.range': EINVAL(
        'the offset is negative, or the length is not above 0',
        'name at least a page, inside the file',
      ),
      'fallocate.mode': EOPNOTSUPP(
        'Linux has no such mode',
        'pass FALLOC_FL_KEEP_SIZE, with FALLOC_FL_PUNCH_HOLE to give pages back',
      ),
      'fallocate.read-only': EBADF(
        'the file is not open for writing',
        'name a guest_memfd: a file of statistics has no memory',
      ),
      'fallocate.no-memory-file': ENODEV(
        'the file is /dev/kvm, a VM, a vCPU or a device',
        'name a guest_memfd: no other file of KVM has memory',
      ),
      'fallocate.too-large': EFBIG(
        'the range ends above what a file can have',
        'name pages inside the guest_memfd',
      ),
    }),
    ...checksIn('virt/kvm/guest_memfd.c, kvm_gmem_fallocate()', {
      'fallocate.other-mode': EOPNOTSUPP(
        'the mode lacks FALLOC_FL_KEEP_SIZE, or is neither to allocate nor to punch a hole',
        'pass FALLOC_FL_KEEP_SIZE, with FALLOC_FL_PUNCH_HOLE to give pages back',
      ),
      'fallocate.unaligned': EINVAL(
        'offset or length is not a multiple of 4 KiB',
        'name whole pages',
      ),
      'fallocate.beyond-size': EINVAL(
        'memory is asked for beyond the size of the guest_memfd, which is fixed',
        'name pages inside the guest_memfd',
      ),
      'fallocate.interrupted': EINTR(
        'a signal came between two pages',
        'repeat the call: what has been allocated stays',
      ),
    }),
    ...noMemory,
  },
};

const attribute = {
  ...unreadable,
  ...checksIn('virt/kvm/vfio.c, kvm_vfio_set_attr() and kvm_vfio_has_attr()', {
    'vfio-device.unknown-attr': ENXIO(
      'the device has no such attribute',
      'ask for KVM_DEV_VFIO_FILE_ADD or KVM_DEV_VFIO_FILE_DEL of KVM_DEV_VFIO_FILE',
    ),
  }),
};

export const deviceChecks = {
  'KVM_SET_DEVICE_ATTR on a device': {
    ...vmChecks,
    ...attribute,
    ...checksIn('virt/kvm/vfio.c, kvm_vfio_set_file()', {
      'vfio-device.fd-unreadable': EFAULT(
        'the descriptor at addr is unreadable',
        'pass the address of 4 bytes with the descriptor of a VFIO file',
      ),
      'vfio-device.file-closed': EBADF(
        'the descriptor at addr is not open',
        'pass the descriptor of an open VFIO group or device',
      ),
      'vfio-device.other-file': EINVAL(
        'the file to be added is none of VFIO',
        'pass the descriptor of a VFIO group or device',
      ),
      'vfio-device.not-added': ENOENT(
        'the file to be taken away was never added',
        'take away only what KVM_DEV_VFIO_FILE_ADD has added',
      ),
    }),
  },
  'KVM_GET_DEVICE_ATTR on a device': {
    ...vmChecks,
    ...checksIn('virt/kvm/kvm_main.c, kvm_device_ioctl_attr()', {
      'vfio-device.no-get': EPERM(
        'the device has no attribute that can be read',
        'leave it out: files are only added and taken away',
      ),
    }),
  },
  'KVM_HAS_DEVICE_ATTR on a device': { ...vmChecks, ...attribute },
};
