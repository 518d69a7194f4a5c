import type { TdOutput } from '../../../machines/td-lifecycle/index.ts';
import type { KeySlots } from '../../host/facts.ts';
import type { TdPlan } from '../../plan/index.ts';
import type { PrintedEvent } from '../words.ts';

/** How a run is shown. The text view draws it for a person, the data view prints events. */
export interface RunView {
  planned(plan: TdPlan, slots: KeySlots | undefined): void;
  event(event: PrintedEvent): void;
  runnable(options: { readonly holds: boolean }): void;
  ended(output: TdOutput, slots: SlotsAround): void;
}

export interface SlotsAround {
  readonly before: KeySlots | undefined;
  readonly after: KeySlots | undefined;
}
