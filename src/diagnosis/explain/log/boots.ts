/** What a log shows of itself: where it is from, and which boots of which kernel are whole in it. */
import type { Mark, Place } from '../messages/message.ts';

/** What was found between the first line of a kernel and the next one's. */
export class Boot {
  /** Of its "Linux version …"; undefined for what comes before any. */
  readonly release: string | undefined;
  /** "Linux version …" has the time 0: the log begins where the kernel did. */
  readonly fromStart: boolean;
  readonly marks = new Set<Mark>();

  constructor(release?: string, kernelSeconds?: number) {
    this.release = release;
    this.fromStart = kernelSeconds === 0;
  }

  /** undefined: it does not show. */
  get place(): Place | undefined {
    if (this.marks.has('in-td')) return 'guest';
    return undefined;
  }

  /** It begins with the kernel and reaches the first process: what its own start prints must be in it. */
  get isWhole(): boolean {
    return this.fromStart && this.marks.has('user-space');
  }
}

/** Upstream prints "virt/tdx: BIOS enabled" since 6.8, and vendors patched older kernels. */
export function printsOfTdx(release: string | undefined): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(release ?? '') ?? [];
  if (major === undefined || minor === undefined) return false;
  return Number(major) > 6 || (Number(major) === 6 && Number(minor) >= 8);
}
