/** One end of the connection between two keepers: questions and answers, and what is only told, in their order. */
import type { Duplex } from 'node:stream';
import { TdctlError } from '../../errors/index.ts';
import { FrameReader, FrameWriter } from '../../host/shared/wire/frames.ts';
import { patience } from './patience.ts';
import type { MoveNews, MoveQuestion, MoveQuestions } from './protocol.ts';

type Message =
  | { readonly ask: number; readonly what: MoveQuestion; readonly arg: unknown }
  | { readonly answer: number; readonly value?: unknown; readonly error?: unknown }
  | { readonly tell: keyof MoveNews; readonly value: unknown };

interface Hearing {
  /** Answers a question. What it throws is thrown to whoever has asked. */
  readonly asked?: ((what: MoveQuestion, arg: unknown) => Promise<unknown>) | undefined;
  readonly told?: ((what: keyof MoveNews, value: unknown) => void) | undefined;
  /** Nothing comes any more; all that came before was heard. */
  readonly ended?: (() => void) | undefined;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** The other side has gone, or does not answer. */
export class PeerGone extends TdctlError {
  constructor(why: string) {
    super({
      code: 'TDCTL_E_NOT_ANSWERING',
      op: 'ask the other keeper',
      message: `the other keeper of the move ${why}`,
      hint: '`tdctl show` says who has the TD',
    });
  }
}

const noObjects = {
  refer: () => undefined,
  resolve: () => {
    throw new Error('no object is named between keepers');
  },
};

export class MovePeer {
  readonly #socket: Duplex;
  readonly #hearing: Hearing;
  readonly #reader = new FrameReader();
  readonly #writer: FrameWriter;
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;
  #gone: PeerGone | undefined;

  constructor(socket: Duplex, hearing: Hearing) {
    this.#socket = socket;
    this.#hearing = hearing;
    this.#writer = new FrameWriter(noObjects, (frame) => socket.write(frame));
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', () => socket.destroy());
    for (const event of ['end', 'close']) {
      socket.on(event, () => this.#end('has closed the connection, or has died'));
    }
  }

  /** Why nothing is answered any more. */
  get gone(): PeerGone | undefined {
    return this.#gone;
  }

  /** @throws PeerGone; what the other side throws; a deadline that passes ends the connection. */
  async ask<What extends MoveQuestion>(
    what: What,
    arg: MoveQuestions[What]['arg'],
    { deadlineMs }: { readonly deadlineMs: number },
  ): Promise<MoveQuestions[What]['answer']> {
    if (this.#gone !== undefined) throw this.#gone;
    const number = this.#next++;
    const late = patience(deadlineMs, () => {
      this.#end(`has not answered for ${deadlineMs} ms (${what})`);
      this.#socket.destroy();
    });
    try {
      return (await new Promise((resolve, reject) => {
        this.#waiting.set(number, { resolve: resolve as Waiting['resolve'], reject });
        this.#send({ ask: number, what, arg });
      })) as MoveQuestions[What]['answer'];
    } finally {
      late.end();
      this.#waiting.delete(number);
    }
  }

  /** What is told is in the kernel's hands when this returns, whatever becomes of this process. */
  tell<What extends keyof MoveNews>(what: What, value: MoveNews[What]): void {
    if (this.#gone === undefined) this.#send({ tell: what, value });
  }

  close(): void {
    this.#end('was let go');
    this.#socket.end();
    this.#socket.destroy();
  }

  #send(message: Message): void {
    if (this.#socket.destroyed) return;
    this.#writer.add(message);
    this.#writer.flush();
  }

  #take(chunk: Buffer): void {
    try {
      for (const frame of this.#reader.take(chunk)) {
        for (const message of frame.messages(noObjects)) this.#hear(message as Message);
      }
    } catch {
      this.#end('does not speak as a keeper does');
      this.#socket.destroy();
    }
  }

  #hear(message: Message): void {
    if ('tell' in message) this.#hearing.told?.(message.tell, message.value);
    else if ('ask' in message) void this.#answer(message.ask, message);
    else {
      const waiting = this.#waiting.get(message.answer);
      if (message.error === undefined) waiting?.resolve(message.value);
      else waiting?.reject(message.error);
    }
  }

  async #answer(
    number: number,
    { what, arg }: { readonly what: MoveQuestion; readonly arg: unknown },
  ): Promise<void> {
    try {
      const value = await this.#hearing.asked?.(what, arg);
      this.#send({ answer: number, value: value ?? null });
    } catch (error) {
      this.#send({
        answer: number,
        error: error instanceof Error ? error : new Error(String(error)),
      });
    }
  }

  #end(why: string): void {
    if (this.#gone !== undefined) return;
    this.#gone = new PeerGone(why);
    for (const { reject } of this.#waiting.values()) reject(this.#gone);
    this.#waiting.clear();
    this.#hearing.ended?.();
  }
}
