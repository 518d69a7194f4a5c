/** What an errno means whatever was asked: for requests that have no answer of their own for it. */
import type { ErrnoName } from '../../../abi/kvm/errno.ts';
import type { RefusalAnswer } from './request.ts';

export const commonAnswers: Partial<Readonly<Record<ErrnoName, RefusalAnswer>>> = {
  EIO: {
    id: 'kvm.vm-dead',
    code: 'TDCTL_E_IOCTL',
    meaning: 'the VM is dead or belongs to another process: it answers nothing else from now on',
    causes: [
      'a call to the TDX module failed earlier, and KVM gave the VM up ("SEAMCALL" in the kernel log)',
      'the process is not the one that created the VM: after fork, or with a descriptor passed on',
    ],
    next: 'look for "SEAMCALL" and "KVM_BUG_ON" in the kernel log: `dmesg | tdctl explain -`',
  },
  ENOTTY: {
    id: 'kvm.not-a-td',
    code: 'TDCTL_E_IOCTL',
    meaning: 'the VM is no TD, or this kernel does not know the request',
    causes: [
      'the VM was created without the type KVM_X86_TDX_VM',
      'VMM and kernel speak different versions of the TDX interface: one is from before Linux 6.16',
    ],
    next: 'use a VMM and a kernel of the same line: upstream QEMU 10.1 with Linux 6.16, or later',
  },
  EFAULT: {
    id: 'kvm.bad-pointer',
    code: 'TDCTL_E_IOCTL',
    meaning: 'the kernel could not read or write the memory that the request points to',
    causes: ['a defect of the VMM: a wrong pointer, or memory that it has given back'],
    next: 'report it to the makers of the VMM with its version',
  },
  EINTR: {
    id: 'kvm.interrupted',
    code: 'TDCTL_E_IOCTL',
    meaning: 'a signal arrived while the request waited or worked',
    next: 'repeat the request; nothing is lost',
  },
  ENOMEM: {
    id: 'kvm.no-memory',
    code: 'TDCTL_E_IOCTL',
    meaning: 'the host has no memory left for it',
    causes: ['the host is short of memory', 'the memory cgroup of the process is at its limit'],
    next: 'free memory, or give the TD less (spec.memory, spec.maxVcpus)',
  },
  EMFILE: {
    id: 'kvm.no-file-descriptor',
    code: 'TDCTL_E_IOCTL',
    meaning: 'this process has no file descriptor left, and each vCPU needs one',
    next: 'raise the limit: `ulimit -n`, or LimitNOFILE= of the service',
  },
  ENFILE: {
    id: 'kvm.too-many-files',
    code: 'TDCTL_E_IOCTL',
    meaning: 'the system has no file left to open',
    next: 'raise fs.file-max, or close what is not needed',
  },
  EHWPOISON: {
    id: 'kvm.memory-poisoned',
    code: 'TDCTL_E_IOCTL',
    meaning: 'a page of memory is damaged',
    causes: [
      'a memory error of the host',
      'a partial write to TD memory on CPUs with that erratum',
    ],
    next: 'look for "mce:" in the kernel log, and replace the memory it names',
  },
  EPERM: {
    id: 'kvm.not-permitted',
    code: 'TDCTL_E_HOST_UNSUPPORTED',
    meaning: 'the process may not do this',
    next: 'check the seccomp filter and the capabilities of the process or container',
  },
  EACCES: {
    id: 'kvm.no-access',
    code: 'TDCTL_E_HOST_UNSUPPORTED',
    meaning: 'the process may not open the device',
    next: 'add the user to the group of /dev/kvm (`ls -l /dev/kvm`), and log in again',
  },
  ENOENT: {
    id: 'kvm.no-device',
    code: 'TDCTL_E_HOST_UNSUPPORTED',
    meaning: '/dev/kvm does not exist',
    causes: ['kvm_intel is not loaded', 'the container was started without the device'],
    next: 'run `modprobe kvm_intel`, or start the container with --device /dev/kvm',
  },
  EBADF: {
    id: 'kvm.closed',
    code: 'TDCTL_E_IOCTL',
    meaning: 'the descriptor is closed, or is none of KVM',
    causes: ['a defect of the VMM: it uses a VM, vCPU or guest_memfd that it has closed'],
    next: 'report it to the makers of the VMM with its version',
  },
};

/** Where several checks give the errno; the real words are made of their rows. */
export const severalChecks: RefusalAnswer = {
  id: 'kvm.several-checks',
  code: 'TDCTL_E_IOCTL',
  meaning: 'several checks of the request answer so',
  next: 'name the errno with its request: `tdctl explain EINVAL KVM_TDX_INIT_VM`',
};
