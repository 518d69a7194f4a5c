/** A finding shows a call in a few words. */
import type { TraceArgs } from '../record.ts';
import type { TracedCall } from './traced.ts';

/** These arguments tell one call of a request from another. */
const telling = ['type', 'cap', 'id', 'slot', 'gpa', 'nr_pages', 'tsc_khz'] as const;

/** Gives text such as `vm#1.KVM_CREATE_VCPU(id=0)`. */
export function callText({ record }: TracedCall): string {
  const args = argsText(record.args);
  return `${record.object}.${record.request}${args === '' ? '' : `(${args})`}`;
}

function argsText(args: TraceArgs): string {
  return telling
    .filter((name) => ['string', 'number'].includes(typeof args[name]))
    .map((name) => `${name}=${args[name]}`)
    .join(', ');
}
