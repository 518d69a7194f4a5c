/** What a guest answers of which no instruction is executed. */
import type { GuestCounts, GuestTimes } from '../guest.ts';

const none: GuestCounts = { exits: 0, handedOn: 0, handlerErrors: 0, lostConsoleBytes: 0 };

export abstract class InstructionlessGuest {
  /** Nobody reads it. */
  input(bytes: Uint8Array): number {
    return bytes.length;
  }

  counts(): GuestCounts {
    return none;
  }

  times(): GuestTimes {
    return {};
  }
}
