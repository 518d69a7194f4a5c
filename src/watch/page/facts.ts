/** What the live page knows before its first message. These are types alone, because both ends read them. */
export interface PageFacts {
  readonly name: string;
  /** The host profile and the kernel ABI on which the run takes place. */
  readonly host: string;
  readonly kernel: string;
  /** Whether viewers may pause, step and change the speed. */
  readonly canHold: boolean;
  /** The number of key slots of the host; undefined where only the kernel knows. */
  readonly totalSlots: number | undefined;
}

export interface PageData extends PageFacts {
  /** What each state does, by machine and state. */
  readonly states: Readonly<Record<string, Readonly<Record<string, string>>>>;
}
