/**
 * What a refused request means for the person who asked: by request and errno, and for INIT_VM and
 * FINALIZE_VM by the operand that the TDX module names in its status.
 * Source: kernel-abi 7.1 (Linux 7.3), TDX module status codes.
 */
import type { TdctlErrorCode } from '../errors/index.ts';

export interface Refusal {
  readonly code: TdctlErrorCode;
  /** What it means here. One sentence without a full stop. */
  readonly meaning: string;
  readonly hint: string;
}

/** `REQUEST ERRNO`, or `* ERRNO` for what an errno of KVM means whatever was asked. */
const refusals: Readonly<Record<string, Refusal>> = {
  'KVM_CREATE_VM EINVAL': {
    code: 'TDCTL_E_HOST_UNSUPPORTED',
    meaning: 'this kernel does not offer VMs of the type KVM_X86_TDX_VM',
    hint: 'check `tdctl host`; rehearse with `--host sim` or `--host soft` meanwhile',
  },
  'KVM_TDX_INIT_VM ENOSPC': {
    code: 'TDCTL_E_NO_KEY_SLOT',
    meaning: 'every key slot (HKID) of the host is taken by another TD',
    hint: 'stop a TD, or wait for one that is being torn down; `tdctl host` shows the slots',
  },
  'KVM_TDX_INIT_VM EBUSY': {
    code: 'TDCTL_E_CGROUP_LIMIT',
    meaning: 'the misc cgroup of this process, or one above it, is at its limit for `tdx`',
    hint: 'raise misc.max of the cgroup, or run from another one',
  },
  'KVM_TDX_INIT_VM EAGAIN': {
    code: 'TDCTL_E_IOCTL',
    meaning: 'the CPU had no entropy left for a new key, several times in a row',
    hint: 'try again in a moment',
  },
  'KVM_TDX_INIT_VM EIO': {
    code: 'TDCTL_E_IOCTL',
    meaning: 'a CPU package is entirely offline, or the TDX module failed; the VM cannot be used',
    hint: 'bring a CPU of every package online, and look for "SEAMCALL" in the kernel log',
  },
  'KVM_TDX_INIT_VM EINVAL': {
    code: 'TDCTL_E_IOCTL',
    meaning: 'the kernel or the TDX module refuses a parameter of the TD',
    hint: 'compare spec.attributes, xfam, tsc and gpaw with `tdctl host`',
  },
  'KVM_CREATE_VCPU EINVAL': {
    code: 'TDCTL_E_VCPU_LIMIT',
    meaning: 'the VM has as many vCPUs as it may have, or the vCPU id is above its limit',
    hint: 'ask for fewer vCPUs; `tdctl host` shows the limits',
  },
  'KVM_CREATE_VCPU EIO': {
    code: 'TDCTL_E_IOCTL',
    meaning: 'vCPUs of a TD can be made only between INIT_VM and FINALIZE_VM',
    hint: 'this is an order that tdctl keeps: report it with --log-level debug',
  },
  '* EMFILE': {
    code: 'TDCTL_E_IOCTL',
    meaning: 'this process has no file descriptor left, and each vCPU needs one',
    hint: 'raise the limit: `ulimit -n`, or LimitNOFILE= of the service',
  },
  '* ENFILE': {
    code: 'TDCTL_E_IOCTL',
    meaning: 'the system has no file left to open',
    hint: 'raise fs.file-max, or close what is not needed',
  },
  '* ENOMEM': {
    code: 'TDCTL_E_IOCTL',
    meaning: 'the host has no memory left for it',
    hint: 'free memory, or give the TD less (spec.memory, spec.maxVcpus)',
  },
  '* EIO': {
    code: 'TDCTL_E_IOCTL',
    meaning: 'the VM is dead or belongs to another process: it answers nothing else from now on',
    hint: 'look for "SEAMCALL" and "KVM_BUG_ON" in the kernel log',
  },
};

const unknown: Refusal = {
  code: 'TDCTL_E_IOCTL',
  meaning: 'the kernel refused it',
  hint: 'run again with --log-level debug to see every request before it',
};

export function explainRefusal(request: string, errno: string): Refusal {
  return refusals[`${request} ${errno}`] ?? refusals[`* ${errno}`] ?? unknown;
}
