import type { TdOutput } from '../../../machines/td-lifecycle/index.ts';
import type { KeySlots } from '../../host/facts.ts';
import type { TdPlan } from '../../plan/index.ts';
import type { PrintedEvent } from '../words.ts';

/** How a run is shown. The text view draws it for a person, the data view prints events. */
export interface RunView {
  planned(plan: TdPlan, slots: KeySlots | undefined): void;
  event(event: PrintedEvent): void;
  runnable(): void;
  /** The TD runs, and goes on. `how` is a line for whoever watches it. */
  holds(how: string): void;
  /** The guest has printed this, and `lostBytes` after it that nobody has. */
  guest(from: GuestOutput, bytes: Uint8Array, lostBytes: number): void;
  ended(output: TdOutput, slots: SlotsAround): void;
}

/** COM1, or port 0x402. */
export type GuestOutput = 'console' | 'debugConsole';

export interface SlotsAround {
  readonly before: KeySlots | undefined;
  readonly after: KeySlots | undefined;
}
