/** What the exits of a TD are answered with: a row for each kind of exit, and for each TDVMCALL that KVM hands on. */
import { KVM_HC_MAP_GPA_RANGE } from '../../abi/kvm/exits.ts';
import { tdVmCallLeaves, tdVmCallStatuses } from '../../abi/tdx/tdvmcall.ts';
import type { GuestAnswer, GuestExit } from '../../host/guest.ts';
import { Conversions } from './conversions.ts';
import { answerMapGpa, mapGpaOf } from './map-gpa.ts';
import { MemoryFaults } from './memory-faults.ts';
import type { AnswerParts } from './parts.ts';
import { Quotes } from './quotes.ts';

type ExitOf<Kind extends GuestExit['kind']> = GuestExit & { readonly kind: Kind };
type Answer = GuestAnswer | undefined;
type Rows = {
  readonly [Kind in GuestExit['kind']]?: (
    vcpu: number,
    exit: ExitOf<Kind>,
  ) => Answer | Promise<Answer>;
};

/** GetTdVmCallInfo, leaf 1, R11: which calls there are besides those that every host has (GHCI). */
const SETUP_EVENT_NOTIFY_INTERRUPT = 1n << 1n;
const firstVector = 32n;
const lastVector = 255n;

/** Whom to tell when a quote is there. */
export interface EventNotify {
  readonly apicId: number;
  readonly vector: number;
}

export class TdAnswers {
  readonly #parts: AnswerParts;
  readonly #conversions: Conversions;
  readonly #faults: MemoryFaults;
  readonly #quotes: Quotes;
  #closed = false;
  /** Set by SetupEventNotifyInterrupt. It is the guest's, and goes with it where it moves. */
  notify: EventNotify | undefined;

  constructor(parts: AnswerParts) {
    // What comes of the end of the guest itself is nobody's concern any more.
    const warn = (message: string) => {
      if (!this.#closed) parts.warn(message);
    };
    this.#parts = { ...parts, warn };
    this.#conversions = new Conversions(this.#parts);
    this.#faults = new MemoryFaults(this.#conversions);
    this.#quotes = new Quotes({ ...this.#parts, onDone: () => void this.#tellQuote() });
  }

  /** Without an answer the exit gets that of an absent device, and a memory fault ends the guest. */
  async answer(vcpu: number, exit: GuestExit): Promise<Answer> {
    if (exit.kind !== 'memory-fault') this.#faults.progressed(vcpu);
    const row = this.#rows[exit.kind] as
      | ((vcpu: number, exit: GuestExit) => Answer | Promise<Answer>)
      | undefined;
    return row?.(vcpu, exit);
  }

  /** Why a memory fault was left without an answer, which has ended the guest. */
  get refusedFault(): string | undefined {
    return this.#faults.refusal;
  }

  /** No interrupt and no quote reaches the guest by this any more. */
  close(): void {
    this.#closed = true;
    this.#quotes.close();
  }

  readonly #rows: Rows = {
    hypercall: async (_vcpu, { nr, args }) => {
      if (nr !== KVM_HC_MAP_GPA_RANGE) return undefined;
      const tools = { conversions: this.#conversions, warn: this.#parts.warn };
      return { ret: await answerMapGpa(mapGpaOf(args), tools) };
    },
    'memory-fault': async (vcpu, { flags, gpa, sizeBytes }) => {
      const fault = { flags, range: { gpa, sizeBytes } };
      return (await this.#faults.answer(vcpu, fault)) ? { retry: true } : undefined;
    },
    tdx: (vcpu, exit) => this.#calls.get(exit.nr)?.(vcpu, exit),
  };

  /** A call that is not here has its refusal from KVM already. */
  readonly #calls = new Map<bigint, (vcpu: number, exit: ExitOf<'tdx'>) => Answer>([
    [
      tdVmCallLeaves.GetQuote,
      (_vcpu, { gpa = 0n, size = 0n }) => ({ ret: this.#quotes.ask({ gpa, sizeBytes: size }) }),
    ],
    [
      tdVmCallLeaves.GetTdVmCallInfo,
      // KVM answers leaf 0 itself. The kernels that ask for leaf 1 hand SetupEventNotifyInterrupt on.
      (_vcpu, { leaf }) =>
        leaf === 1n
          ? {
              ret: tdVmCallStatuses.SUCCESS,
              r11: SETUP_EVENT_NOTIFY_INTERRUPT,
              r12: 0n,
              r13: 0n,
              r14: 0n,
            }
          : undefined,
    ],
    [
      tdVmCallLeaves.SetupEventNotifyInterrupt,
      (vcpu, { vector = 0n }) => ({ ret: this.#setNotify(vcpu, vector) }),
    ],
  ]);

  #setNotify(vcpu: number, vector: bigint): bigint {
    if (vector < firstVector || vector > lastVector) return tdVmCallStatuses.INVALID_OPERAND;
    this.notify = { apicId: this.#parts.apicIdOf(vcpu), vector: Number(vector) };
    return tdVmCallStatuses.SUCCESS;
  }

  async #tellQuote(): Promise<void> {
    if (this.notify === undefined || this.#closed) return;
    const { apicId, vector } = this.notify;
    try {
      await this.#parts.interrupt(apicId, vector);
    } catch (error) {
      this.#parts.warn(
        `the interrupt that tells the guest of its quote (vector ${vector}) was not delivered: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
}
