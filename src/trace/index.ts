/**
 * tdctl makes, writes and reads traces of the KVM calls of an unmodified program. See
 * docs/exec-trace.md.
 */
export { DigestingMemory } from './content-digest.ts';
export { type DescribedCall, describeCall, outcomeOf } from './describe.ts';
export { traceJsonLine } from './json.ts';
export { type Callers, recordCalls } from './machine-calls.ts';
export { kindsInNames, type ObjectKind, ObjectNames, ThreadNames } from './names.ts';
export * from './record.ts';
export { traceText } from './text.ts';
export { type TraceFileOptions, TraceWriter } from './writer.ts';
