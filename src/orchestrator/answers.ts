/** What a TD asks of its VMM while it runs, with the parts of its session. */
import {
  type AnswerParts,
  type EventNotify,
  type GuestSlot,
  type QuoteService,
  quoteServiceAt,
  TdAnswers,
} from '../guest/index.ts';
import type { GuestAnswer, GuestExit } from '../host/guest.ts';
import type { TdSession } from './session.ts';
import { convertMemory } from './steps/conversion.ts';
import { memoryOf } from './steps/memory.ts';

/** Of a guest that is no TD, no exit comes that is answered here. */
export function answerExit(
  session: TdSession,
  vcpu: number,
  exit: GuestExit,
): Promise<GuestAnswer | undefined> {
  if (session.plan.facts.kind !== 'kvm') return Promise.resolve(undefined);
  return answersOf(session).answer(vcpu, exit);
}

/** How the guest wants to be told of an event, if it has said so. */
export function notifyOf({ handles }: TdSession): EventNotify | undefined {
  return handles.has('answers') ? handles.get('answers').notify : undefined;
}

/** What the guest has told the VMM of its source goes with it. */
export function carryNotify(destination: TdSession, notify: EventNotify | undefined): void {
  if (notify !== undefined) answersOf(destination).notify = notify;
}

function answersOf(session: TdSession): TdAnswers {
  return session.handles.grow('answers', () => new TdAnswers(partsOf(session)));
}

function partsOf({ host, plan, handles, publish }: TdSession): AnswerParts {
  const vm = handles.get('vm');
  return {
    slots: slotsOf({ plan, handles }),
    setKind: (slot, { gpa, sizeBytes }, kind) => {
      const offsetBytes = gpa - slot.gpa;
      const memory = { vm, gpa, sizeBytes, guestMemory: slot.guestMemory, offsetBytes };
      return convertMemory(plan.facts.kernel, memory, kind === 'private');
    },
    quotes: quotesOf({ host, plan }),
    interrupt: (apicId, vector) => vm.signalMsi({ address: addressOf(apicId), data: vector }),
    apicIdOf: (vcpu) => handles.get('vcpus')[vcpu]?.id ?? vcpu,
    warn: (message) => publish({ event: 'td.warning', message }),
  };
}

export function slotsOf({ plan, handles }: Pick<TdSession, 'plan' | 'handles'>): GuestSlot[] {
  const guestMemories = handles.get('guestMemory');
  return plan.layout.slots.map(({ slot, gpa, sizeBytes }) => {
    const guestMemory = guestMemories.get(slot);
    if (guestMemory === undefined) throw new Error(`slot ${slot} has no guest_memfd`);
    return { gpa, sizeBytes, memory: memoryOf(handles, slot), guestMemory };
  });
}

function quotesOf({ host, plan }: Pick<TdSession, 'host' | 'plan'>): QuoteService | undefined {
  const { quotes } = plan.spec;
  if (quotes === undefined || host.exchange === undefined) return undefined;
  if (quotes.kind === 'unix') return quoteServiceAt({ unix: quotes.path }, host.exchange);
  const { cid, port } = quotes;
  return quoteServiceAt({ vsock: { cid, port } }, host.exchange);
}

/**
 * Where a message for that APIC goes, with the bits above the eighth where KVM_CAP_X2APIC_API has them (Intel
 * SDM, "Message Address Register Format"; kvm_msi in Documentation/virt/kvm/api.rst).
 */
function addressOf(apicId: number): bigint {
  const low = 0xfee0_0000n | (BigInt(apicId & 0xff) << 12n);
  return low | (BigInt(apicId & ~0xff) << 32n);
}
