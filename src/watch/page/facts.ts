/** What the live page knows before its first message. Types alone: both ends read them. */
export interface PageFacts {
  readonly name: string;
  /** Where it runs: host profile, kernel ABI. */
  readonly host: string;
  readonly kernel: string;
  /** Whether viewers may pause, step and change the speed. */
  readonly canHold: boolean;
  /** Key slots of the host; undefined where only the kernel knows. */
  readonly totalSlots: number | undefined;
}

export interface PageData extends PageFacts {
  /** By machine and state, what the state does. */
  readonly states: Readonly<Record<string, Readonly<Record<string, string>>>>;
}
