/** Why a command could not be put under supervision, in words. */
import type { LaunchFailure } from '../../native/index.ts';
import { TdctlError, type TdctlErrorCode } from '../errors/index.ts';

interface Cause {
  /** TDCTL_E_HOST_UNSUPPORTED where nothing else is said. */
  readonly code?: TdctlErrorCode;
  readonly message: string;
  readonly hint: string;
}

const docs = 'docs/exec.md ("What it needs") lists what a machine or a container must allow';

/** A cause is found by `stage errno` where that errno means something of its own, else by its stage. */
const causes: Readonly<Record<string, Cause>> = {
  'exec ENOENT': {
    code: 'TDCTL_E_COMMAND_NOT_FOUND',
    message: 'command not found',
    hint: 'give the path of a program, or a name that is in PATH',
  },
  exec: {
    code: 'TDCTL_E_COMMAND_NOT_EXECUTABLE',
    message: 'the command cannot be executed',
    hint: 'it must be a program, or a script, that you may execute',
  },
  busy: {
    message: 'this process supervises a command already, and can do so with one at a time',
    hint: 'wait for its end',
  },
  fork: {
    message: 'no process can be started to run the command in',
    hint: 'look at the limits of this user and of its cgroup (ulimit -u, pids.max)',
  },
  no_new_privs: {
    message: 'prctl(PR_SET_NO_NEW_PRIVS) fails: a sandbox forbids it',
    hint: docs,
  },
  'filter EBUSY': {
    message:
      'another program already listens to the system calls of this one, and seccomp allows one listener only',
    hint: 'run it outside of the other `tdctl exec`, container monitor or sandbox',
  },
  'filter EPERM': {
    message: 'this sandbox forbids seccomp filters',
    hint: docs,
  },
  'filter EINVAL': {
    message:
      'the seccomp user notification of this Linux cannot keep signals from a call: it is older than 5.19',
    hint: docs,
  },
  filter: {
    message: 'this Linux, or the sandbox it runs in, has no seccomp user notification',
    hint: docs,
  },
  'install EPERM': {
    message: 'this sandbox forbids ioctl(SECCOMP_IOCTL_NOTIF_ADDFD)',
    hint: docs,
  },
  install: {
    message: 'this Linux cannot answer a system call with a file descriptor: it is older than 5.14',
    hint: docs,
  },
  memory: {
    message: 'this process has no ptrace rights over a child of its own, and must read its memory',
    hint: 'Yama forbids it (sysctl kernel.yama.ptrace_scope must be 0 or 1, or 2 for root), or a sandbox does (docker: --cap-add SYS_PTRACE)',
  },
};

/** What runs out, by the errno that says so. */
const limits: Readonly<Record<string, string>> = {
  ENOSPC: 'raise sysctl fs.inotify.max_user_watches',
  EMFILE:
    'raise the open files of this process (ulimit -n) or sysctl fs.inotify.max_user_instances',
  ENFILE: 'raise sysctl fs.file-max',
  EAGAIN: 'look at the limits of this user and of its cgroup (ulimit -u, pids.max)',
};

/** Of a system call that supervision needs. */
function failedCall(call: string, code: string): Cause {
  const limit = limits[code];
  if (limit !== undefined) {
    return { message: `${call} fails: a limit of this machine is reached`, hint: limit };
  }
  return {
    message: `${call} fails, which supervision needs: a sandbox forbids it, or this Linux lacks it`,
    hint: docs,
  };
}

export function launchRefused(command: string, failure: LaunchFailure): TdctlError {
  const { stage, code, call } = failure;
  const cause =
    call === undefined ? (causes[`${stage} ${code}`] ?? causes[stage]) : failedCall(call, code);
  return new TdctlError({
    code: cause?.code ?? 'TDCTL_E_HOST_UNSUPPORTED',
    op: 'start a command with its KVM calls answered',
    place: command,
    message: cause?.message ?? `${stage}: ${code}`,
    details: stage === 'exec' && code === 'ENOENT' ? [] : [`the kernel says: ${code}`],
    hint: cause?.hint,
  });
}

/** Of a command on a shared host, whose process says this. */
export function adoptionRefused(command: string, failure: LaunchFailure): TdctlError {
  const cause = causesOnHost[failure.stage];
  if (cause === undefined) return launchRefused(command, failure);
  const { message, hint } = cause;
  return new TdctlError({
    code: 'TDCTL_E_HOST_UNSUPPORTED',
    op: 'answer the KVM calls of a command on a shared host',
    place: command,
    message,
    details: [`the kernel says: ${failure.code}`],
    hint,
  });
}

const causesOnHost: Partial<Record<LaunchFailure['stage'], Cause>> = {
  process: {
    message:
      'the process of the shared host does not see the command: it has ended, or is in another PID namespace',
    hint: 'start the host in the same container as the command, or in one around it',
  },
  foreign_memory: {
    message:
      'the process of the shared host has no ptrace rights over the command, and must read its memory',
    hint: 'run it as the user whose host it is, and with no more rights than that one has; a host that root has started may look into all',
  },
};

export function outOfFiles(code: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_HOST_UNSUPPORTED',
    op: 'answer a KVM call',
    message:
      'this process has reached a limit of the machine and cannot answer any more KVM calls; the command was ended',
    details: [`the kernel says: ${code}`],
    hint: limits[code] ?? docs,
  });
}

/** What is said where a program took itself out of reach while it ran. */
export function outOfReach(thread: number): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_HOST_UNSUPPORTED',
    op: 'answer a KVM call',
    message: `thread ${thread} of the command may not be looked into, so its KVM calls cannot be answered; the command was ended`,
    details: [
      'it made itself not dumpable (PR_SET_DUMPABLE 0, a change of user, an unreadable program file), or Yama forbids ptrace',
    ],
    hint: 'start the program as the user it shall run as, without its own dropping of privileges; docs/exec.md ("What it needs")',
  });
}

/** What is said where the guard (native/supervisor/guard_process.h) was killed. */
export function guardLost(): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_GUARD_LOST',
    op: 'run a command with its KVM calls answered',
    message:
      'the process that guards the command was killed, and so the command and all that it started were ended',
    details: ['it is the parent of the command, which may have signalled its parent'],
    hint: 'look for SIGKILL in the command and in what watches over it (the OOM killer writes to the kernel log)',
  });
}
