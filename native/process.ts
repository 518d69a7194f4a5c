/** Other processes: whether they live, who they are, and fds that go to them and come from them. */
import type { FdObject } from './fd-object.ts';

/** A process, which cannot be mistaken for a later one with its number. */
export interface Pidfd extends FdObject {
  /**
   * Resolves once the process has ended, reaped or not; EBADF where this is closed before. No thread waits,
   * and it holds the process of the caller.
   */
  ended(): Promise<void>;
  /** By its number; 0 only asks whether the process is there. ESRCH where it was reaped. */
  signal(number: number): Promise<void>;
}

export interface PidfdClass {
  readonly prototype: Pidfd;
  /** ESRCH where there is no such process. */
  open(pid: number): Promise<Pidfd>;
  /** The process that connected a UNIX socket (SO_PEERPIDFD): ENOPROTOOPT before Linux 6.5. */
  ofPeer(fd: number): Promise<Pidfd>;
}

/** SO_PEERCRED: the process that connected, as it was then. */
export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/**
 * An fd that came over a channel, close-on-exec. It can be closed, passed on, mapped where it is a memfd
 * (`UserMemory.ofFd`), taken for a guest_memfd where it is one (`GuestMemfd.ofFd`), and be the source of `kvmMoveEncContextFrom` where it is a VM.
 */
export interface PassedFd extends FdObject {
  /** Its number, which is the caller's to close from now on: this is closed. EBADF, and EBUSY while it is passed on. */
  take(): number;
}

/** A connected UNIX socket of a stream. Nobody else may read it. */
export interface FdChannel extends FdObject {
  /**
   * Sends bytes, and with the first of them the fds of a Vm, a GuestMemfd, a UserMemory that is shared, an
   * FdChannel or a PassedFd, which stay open until then. One at a time, or it rejects with EBUSY.
   */
  send(bytes: Uint8Array, fds?: readonly { readonly fd: number }[]): Promise<void>;
  /**
   * What comes next: at least one byte, or none once the peer has closed. No two messages with fds come in one.
   * More fds than `maxFds` reject with EMSGSIZE, and those that came are closed. One at a time, as above.
   */
  receive(room: { readonly maxBytes: number; readonly maxFds: number }): Promise<FdMessage>;
  /**
   * Sends a whole message for `receiveNow`, and holds up this thread meanwhile: false where the peer is gone, or did not
   * take it in time; nothing more is to be sent then. EBADF, EBUSY.
   */
  sendNow(message: Uint8Array, withinMs: number): boolean;
  /**
   * The next message of `sendNow`; undefined where the peer is gone, or it is not there in time: what has come of it is
   * kept for the next call. EBADF, EBUSY, EMSGSIZE.
   */
  receiveNow(withinMs: number): Uint8Array | undefined;
}

export interface FdMessage {
  readonly bytes: Uint8Array;
  readonly fds: readonly PassedFd[];
}

export interface FdChannelClass {
  readonly prototype: FdChannel;
  /** A channel of its own on a connected UNIX socket of this process, whose own fd may be closed afterwards. */
  of(fd: number): FdChannel;
  /** Two that are connected: the fd of one may be handed to a child. */
  pair(): [FdChannel, FdChannel];
}

export interface ProcessFunctions {
  /**
   * flock(): true where the lock is held from now on, until the last fd of this opened file is closed, however
   * its process ends; false where somebody else has it.
   */
  tryLock(fd: number): boolean;
  /**
   * The process that took the lock on the file of `fd`, as this PID namespace knows it. It may be gone while a
   * child of it has the fd, so this is for words, not for decisions.
   */
  lockHolder(fd: number): number | undefined;
  peerCredentials(fd: number): PeerCredentials;
  /**
   * Sends a datagram to a UNIX socket: of a path, or of a name of the abstract namespace, which begins with `@` here
   * as in unix(7). It waits for nobody: EAGAIN where the receiver has no room.
   */
  sendDatagram(path: string, bytes: Uint8Array): void;
}
