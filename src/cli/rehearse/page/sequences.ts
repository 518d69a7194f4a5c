/** What happened in the run of a cell: who called whom with what, and what was answered. */
import { formatStatus } from '../../../abi/tdx/status.ts';
import { callOf, type RehearsalFault, type TracedCall } from '../../../rehearsal/index.ts';
import type { TraceEvent } from '../../../simulator/index.ts';
import type { MessageData, Tone } from './rehearsal-data.ts';

export interface SequenceTable {
  readonly strings: readonly string[];
  /** The key is `ROW CELL`, the two numbers of the cell in the table. */
  readonly sequences: ReadonlyMap<string, readonly MessageData[]>;
}

interface Message {
  readonly from: string;
  readonly to: string;
  readonly text: string;
  readonly answer: string;
  readonly tone: Tone;
  times: number;
}

interface FoldedMessage extends Message {
  readonly loopLength: number;
  readonly loopTimes: number;
}

type Call = Omit<Message, 'times' | 'tone'>;

export class SequenceBuilder {
  readonly #routine: ReadonlySet<string>;
  readonly #strings: string[] = [];
  readonly #indexes = new Map<string, number>();
  readonly #sequences = new Map<string, readonly MessageData[]>();

  /** @param undisturbed the calls of the run without the faults of any cell. */
  constructor(undisturbed: readonly TracedCall[]) {
    this.#routine = new Set(undisturbed.map(({ call, lane }) => answerKey(callIn(call, lane))));
  }

  add(cell: string, trace: readonly TracedCall[], faults: readonly RehearsalFault[]): void {
    const messages = folded(this.#messagesOf(trace, faults)).map(
      (message): MessageData => [
        this.#index(message.from),
        this.#index(message.to),
        this.#index(message.text),
        this.#index(message.answer),
        this.#index(message.tone),
        message.times,
        message.loopLength,
        message.loopTimes,
      ],
    );
    this.#sequences.set(cell, messages);
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

  /** Equal calls in a row are one message. */
  #messagesOf(trace: readonly TracedCall[], faults: readonly RehearsalFault[]): Message[] {
    const faulty = new Set(faults.map((fault) => callOf(trace, fault)));
    const messages: Message[] = [];
    for (const [index, { call, lane }] of trace.entries()) {
      const said = callIn(call, lane);
      const tone = faulty.has(index) ? 'fault' : this.#toneOf(said);
      const message = { ...said, tone, times: 1 };
      const last = messages.at(-1);
      if (last !== undefined && isEqual({ ...last, times: 1 }, message)) last.times += 1;
      else messages.push(message);
    }
    return messages;
  }

  #toneOf(call: Call): Tone {
    if (call.answer === 'ok') return 'ok';
    return this.#routine.has(answerKey(call)) ? 'routine' : 'refused';
  }
}

function answerKey({ text, answer }: Call): string {
  return `${text} ${answer}`;
}

const longestLoop = 6;
const fewestTimes = 3;

/** What is done for each page or vCPU is told once: a TD of a few pages has hundreds of calls. */
function folded(messages: readonly Message[]): FoldedMessage[] {
  const result: FoldedMessage[] = [];
  for (let index = 0; index < messages.length; ) {
    const { length, times } = loopAt(messages, index);
    for (const [inner, message] of messages.slice(index, index + length).entries()) {
      const begins = inner === 0 && times > 1;
      result.push({ ...message, loopLength: begins ? length : 0, loopTimes: begins ? times : 0 });
    }
    index += length * times;
  }
  return result;
}

function loopAt(messages: readonly Message[], start: number): { length: number; times: number } {
  for (let length = 2; length <= longestLoop; length++) {
    let end = start + length;
    while (end < messages.length && isEqual(messages[end], messages[end - length])) end += 1;
    const times = Math.floor((end - start) / length);
    if (times >= fewestTimes) return { length, times };
  }
  return { length: 1, times: 1 };
}

function isEqual(a: Message | undefined, b: Message | undefined): boolean {
  const keys = ['from', 'text', 'answer', 'tone', 'times'] as const;
  return keys.every((key) => a?.[key] === b?.[key]);
}

function callIn(call: TraceEvent, lane: string): Call {
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
