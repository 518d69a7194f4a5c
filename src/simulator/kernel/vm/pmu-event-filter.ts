/** KVM_SET_PMU_EVENT_FILTER follows kvm_vm_ioctl_set_pmu_event_filter(). No guest counts, so nobody looks at it. */
import type { Answer, UserBytes } from '../../interface.ts';
import { done } from '../answer.ts';
import { CopiedIn, faultStep, firstRefusal, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import { copiedBytes } from '../vcpu/copied-bytes.ts';

const headerBytes = 32;
const mostEvents = 300;
const MASKED_EVENTS = 1;
/** The event select, the mask and the match of unit masks, and EXCLUDE. */
const maskedEntry = 0xffn | (0xffn << 56n) | (0xffn << 8n) | (1n << 55n);

interface FilterCall {
  readonly kernel: Kernel;
  readonly header: CopiedIn<DataView>;
  readonly events: CopiedIn<DataView>;
}

const actionOf = ({ header }: FilterCall) => header.value.getUint32(0, true);
const countOf = (header: CopiedIn<DataView>) => header.value.getUint32(4, true);
const flagsOf = ({ header }: FilterCall) => header.value.getUint32(12, true);

const steps: Steps<FilterCall> = {
  'argument.unreadable': ({ header }) => header.fails(),
  'pmu-event-filter.action': (call) => actionOf(call) > 1,
  'pmu-event-filter.flags': (call) => (flagsOf(call) & ~MASKED_EVENTS) !== 0,
  'pmu-event-filter.too-many': ({ header }) => countOf(header) > mostEvents,
  'kernel.no-memory': faultStep('kernel.no-memory', 'KVM_SET_PMU_EVENT_FILTER: allocate'),
  'pmu-event-filter.events-unreadable': ({ events }) => events.fails(),
  'pmu-event-filter.masked-entry': (call) => {
    if (flagsOf(call) === 0) return false;
    const { value } = call.events;
    for (let at = 0; at < value.byteLength; at += 8) {
      if ((value.getBigUint64(at, true) & ~maskedEntry) !== 0n) return true;
    }
    return false;
  },
};

export function setPmuEventFilter(kernel: Kernel, user: UserBytes): Answer {
  const header = copiedBytes(user, headerBytes);
  const events = new CopiedIn(() => {
    const bytes = user.read(8 * countOf(header), headerBytes);
    return bytes && new DataView(Uint8Array.from(bytes).buffer);
  });
  const call = { kernel, header, events };
  return firstRefusal(kernel, 'KVM_SET_PMU_EVENT_FILTER', { steps, call }) ?? done;
}
