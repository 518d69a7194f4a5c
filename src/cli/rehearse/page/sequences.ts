/**
 * What happened in the run of a cell: who called whom with what, and what was answered. Calls repeat
 * much from run to run, so each text is kept once and the runs are lists of numbers.
 */

import { formatStatus } from '../../../abi/tdx/status.ts';
import type { TracedCall } from '../../../rehearsal/index.ts';
import type { TraceEvent } from '../../../simulator/index.ts';

export interface SequenceTable {
  readonly strings: readonly string[];
  /** By `row cell`: five numbers for each message: from, to, text, answer, how often. */
  readonly sequences: ReadonlyMap<string, readonly number[]>;
}

interface Message {
  readonly from: string;
  readonly to: string;
  readonly text: string;
  readonly answer: string;
  times: number;
}

export class SequenceBuilder {
  readonly #strings: string[] = [];
  readonly #indexes = new Map<string, number>();
  readonly #sequences = new Map<string, readonly number[]>();

  add(cell: string, trace: readonly TracedCall[]): void {
    const numbers = messagesOf(trace).flatMap(({ from, to, text, answer, times }) => [
      this.#index(from),
      this.#index(to),
      this.#index(text),
      this.#index(answer),
      times,
    ]);
    this.#sequences.set(cell, numbers);
  }

  table(): SequenceTable {
    return { strings: this.#strings, sequences: this.#sequences };
  }

  #index(text: string): number {
    const known = this.#indexes.get(text);
    if (known !== undefined) return known;
    this.#strings.push(text);
    this.#indexes.set(text, this.#strings.length - 1);
    return this.#strings.length - 1;
  }
}

/** Equal calls in a row are one message. */
function messagesOf(trace: readonly TracedCall[]): Message[] {
  const messages: Message[] = [];
  for (const { call, lane } of trace) {
    const message = messageOf(call, lane);
    const last = messages.at(-1);
    const repeats =
      last !== undefined &&
      last.from === message.from &&
      last.text === message.text &&
      last.answer === message.answer;
    if (repeats) last.times += 1;
    else messages.push({ ...message, times: 1 });
  }
  return messages;
}

function messageOf(call: TraceEvent, lane: string): Omit<Message, 'times'> {
  switch (call.kind) {
    case 'seamcall':
      return { from: 'KVM', to: 'TDX module', text: call.leaf, answer: answerOf(call.status) };
    case 'release':
      return { from: lane, to: 'KVM', text: 'close', answer: 'ok' };
    case 'ioctl': {
      const { request, answer } = call;
      const text = request.request;
      return { from: lane, to: 'KVM', text, answer: answer.ok ? 'ok' : answer.errno };
    }
  }
}

function answerOf(status: bigint): string {
  return status === 0n ? 'ok' : formatStatus(status);
}
