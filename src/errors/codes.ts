/**
 * Every error that tdctl can end with is in this table: what it is called, which exit code it
 * gives, and what it means. docs/errors.md has a section for each; a test holds the two together.
 */

/** Exit codes of the CLI. 0 is success; 130 is the shell's own number for an interrupted command. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  conflict: 4,
  specInvalid: 5,
  findings: 6,
  limitReached: 7,
  hostUnsupported: 8,
  /** A shell says these two of a command that it cannot start. */
  commandNotExecutable: 126,
  commandNotFound: 127,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

interface ErrorKind {
  readonly exitCode: ExitCode;
  readonly meaning: string;
}

function kind(exit: keyof typeof exitCodes, meaning: string): ErrorKind {
  return { exitCode: exitCodes[exit], meaning };
}

export const errorKinds = {
  TDCTL_E_USAGE: kind('usage', 'The command line asks for something tdctl does not have.'),
  TDCTL_E_NOT_FOUND: kind('notFound', 'A file or object that the command names does not exist.'),
  TDCTL_E_NOT_READABLE: kind('failed', 'A file exists and cannot be read.'),
  TDCTL_E_NOT_WRITABLE: kind('failed', 'A file could not be written.'),
  TDCTL_E_EXISTS: kind('conflict', 'A file that would be overwritten exists already.'),
  TDCTL_E_BUSY: kind('conflict', 'Another process is writing the file.'),
  TDCTL_E_STATE_DIRECTORY: kind(
    'failed',
    'The directory of kept TDs cannot be had, or others could write to it.',
  ),
  TDCTL_E_ADDRESS: kind(
    'conflict',
    'The port or the socket that a command shall serve on cannot be had.',
  ),
  TDCTL_E_AMBIGUOUS: kind(
    'conflict',
    'Two things that a command tells apart by name have the same one.',
  ),
  TDCTL_E_CONFLICT: kind(
    'conflict',
    'The state of a kept TD does not take what was asked, or its name is taken.',
  ),
  TDCTL_E_PLAN_STALE: kind('conflict', 'A saved plan no longer fits the host or the spec.'),
  TDCTL_E_MIGRATION_REFUSED: kind('conflict', 'A TD cannot move as asked; nothing was changed.'),
  TDCTL_E_SPEC_INVALID: kind(
    'specInvalid',
    'A file is of another kind, or has mistakes; each one is listed with its place.',
  ),
  TDCTL_E_FIRMWARE_INVALID: kind('specInvalid', 'A firmware image cannot start a TD.'),
  TDCTL_E_BOOT_INVALID: kind('specInvalid', 'A kernel or initrd cannot be started.'),
  TDCTL_E_MEASUREMENT_MISMATCH: kind(
    'findings',
    'The TD would not have the MRTD that its file expects.',
  ),
  TDCTL_E_EXPECTATION: kind('findings', 'A rehearsal did not come out as its file expects.'),
  TDCTL_E_DEVICE: kind(
    'findings',
    'A disk, a network or another device that a TD names cannot be had on this host.',
  ),
  TDCTL_E_VCPU_LIMIT: kind(
    'limitReached',
    'The TD asks for more vCPUs than the host gives one TD.',
  ),
  TDCTL_E_NO_KEY_SLOT: kind('limitReached', 'Every private key ID (HKID) of the host is in use.'),
  TDCTL_E_CGROUP_LIMIT: kind('limitReached', 'The misc cgroup of the caller allows no further TD.'),
  TDCTL_E_NO_MEMORY: kind(
    'limitReached',
    'The host, or the memory cgroup of the caller, has no room for the memory of the TD.',
  ),
  TDCTL_E_HOST_UNSUPPORTED: kind(
    'hostUnsupported',
    'The chosen host cannot run a TD; the message names the missing item.',
  ),
  TDCTL_E_API_VERSION: kind(
    'hostUnsupported',
    'The keeper of a TD and whoever asks it speak no version of its API in common.',
  ),
  TDCTL_E_COMMAND_NOT_FOUND: kind('commandNotFound', 'The command to run is not there.'),
  TDCTL_E_COMMAND_NOT_EXECUTABLE: kind(
    'commandNotExecutable',
    'The command to run is there and cannot be executed.',
  ),
  TDCTL_E_IOCTL: kind('failed', 'An ioctl was refused by the kernel or the TDX module.'),
  TDCTL_E_GUEST: kind('failed', 'The guest has ended otherwise than by powering off.'),
  TDCTL_E_VMM: kind('failed', 'QEMU has ended, or refused, and its own last words say why.'),
  TDCTL_E_TOOL_MISSING: kind(
    'failed',
    'A program of the system that the command needs is not there, or does not work.',
  ),
  TDCTL_E_TD_LOST: kind('failed', 'A move has lost the TD: no VM has it any more.'),
  TDCTL_E_INVARIANT_BROKEN: kind(
    'failed',
    'A rehearsal found a run that breaks an invariant of tdctl.',
  ),
  TDCTL_E_GUARD_LOST: kind(
    'failed',
    'The process that guards the command of `tdctl exec` was killed; the command was ended.',
  ),
  TDCTL_E_DRAINING: kind(
    'failed',
    'A TD is still being taken down: its key slot is not seen free yet.',
  ),
  TDCTL_E_NOT_REACHED: kind(
    'failed',
    'A TD did not come to the state that was waited for, in time or at all.',
  ),
  TDCTL_E_NOT_ANSWERING: kind(
    'failed',
    'The keeper of a TD, or a shared host, lives and does not answer in time.',
  ),
  TDCTL_E_NOT_OWNER: kind(
    'failed',
    'The kept TD or the shared host is that of another user, who alone may use it.',
  ),
  TDCTL_E_HOST_GONE: kind(
    'failed',
    'A shared host has ended, and with it all that programs had on it.',
  ),
  TDCTL_E_STUCK: kind('failed', 'Something of a TD could not be given back and needs a person.'),
  TDCTL_E_INTERRUPTED: kind(
    'interrupted',
    'The command was interrupted; what it held has been given back.',
  ),
  TDCTL_E_INTERNAL: kind('failed', 'A defect in tdctl.'),
};

export type TdctlErrorCode = keyof typeof errorKinds;

/** Charts know nothing of this table and keep codes as text. One that is not here is our defect. */
export function errorCodeOf(text: string): TdctlErrorCode {
  return Object.hasOwn(errorKinds, text) ? (text as TdctlErrorCode) : 'TDCTL_E_INTERNAL';
}
