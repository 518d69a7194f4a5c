/** The lines of the example guest (examples/guest/README.md), read and judged. */

/** The vCPUs that it has memory for; those above are silent. */
export const exampleGuestVcpus = 16;

export type ExampleGuestLine =
  | { readonly kind: 'hello'; readonly vcpu: number; readonly inTd: boolean }
  | { readonly kind: 'count'; readonly vcpu: number; readonly count: number }
  /** `what` is a register, memory, the TSC, or an exception. */
  | { readonly kind: 'lost'; readonly vcpu: number; readonly what: string }
  | { readonly kind: 'said'; readonly text: string }
  | { readonly kind: 'panic'; readonly text: string }
  | { readonly kind: 'flood'; readonly number: number }
  | { readonly kind: 'escape' | 'help' | 'goodbye' };

type Reader = (first: string, second: string) => ExampleGuestLine;

const number = '(0|[1-9][0-9]{0,14})';
const grammar: readonly (readonly [RegExp, Reader])[] = [
  [
    new RegExp(`^hello from vcpu ${number} of a (TD|plain VM)$`),
    (vcpu, where) => ({ kind: 'hello', vcpu: Number(vcpu), inTd: where === 'TD' }),
  ],
  [
    new RegExp(`^vcpu ${number} count ${number}$`),
    (vcpu, count) => ({ kind: 'count', vcpu: Number(vcpu), count: Number(count) }),
  ],
  [
    new RegExp(`^vcpu ${number} LOST ([a-z][a-z0-9_]*(?: [a-z0-9]+){0,3})$`),
    (vcpu, what) => ({ kind: 'lost', vcpu: Number(vcpu), what }),
  ],
  [/^you said: (.+)$/s, (text) => ({ kind: 'said', text })],
  [/^panic: (.*)$/s, (text) => ({ kind: 'panic', text })],
  [new RegExp(`^flood ${number}$`), (at) => ({ kind: 'flood', number: Number(at) })],
  [/^escape: /, () => ({ kind: 'escape' })],
  [/^help: /, () => ({ kind: 'help' })],
  [/^goodbye$/, () => ({ kind: 'goodbye' })],
];

/** A line without its end. Undefined where it is none of the example guest's. */
export function readExampleGuestLine(text: string): ExampleGuestLine | undefined {
  for (const [form, read] of grammar) {
    const found = form.exec(text);
    if (!found) continue;
    const line = read(found[1] ?? '', found[2] ?? '');
    return 'vcpu' in line && line.vcpu >= exampleGuestVcpus ? undefined : line;
  }
  return undefined;
}

/** What was heard of one vCPU. */
export interface VcpuHeard {
  readonly vcpu: number;
  /** More than one means that it has started anew. */
  readonly hellos: number;
  readonly inTd?: boolean;
  /** How many counts were heard, the first and the last of them. */
  readonly counts: number;
  readonly first?: number;
  readonly last?: number;
  /** Counts that are missing after `after` and before `before`, though no byte there was lost on the way. */
  readonly gaps: Kept<CountPair>;
  /** The same where so many bytes were lost on the way since `after` that they may have been in them. */
  readonly excused: Kept<CountPair>;
  /** A count that is not above the one before it. */
  readonly repeats: Kept<CountPair>;
  readonly lost: Kept<string>;
}

export interface CountPair {
  readonly after: number;
  readonly before: number;
}

/** The first of what was found, and how much there was: a guest that misbehaves does not fill memory. */
export interface Kept<Item> {
  readonly total: number;
  readonly items: readonly Item[];
}

export interface ExampleGuestVerdict {
  readonly vcpus: readonly VcpuHeard[];
  /** Lines that the example guest does not write. */
  readonly garbled: Kept<string>;
  /** Bytes that were lost on the way, as the host told. */
  readonly lostBytes: number;
  readonly goodbye: boolean;
  readonly panic?: string;
}

const keptItems = 16;
/** More than the guest's longest line. */
const longestLine = 512;

class Keeper<Item> implements Kept<Item> {
  total = 0;
  readonly items: Item[] = [];
  add(item: Item): void {
    this.total += 1;
    if (this.items.length < keptItems) this.items.push(item);
  }
}

class Vcpu implements VcpuHeard {
  readonly vcpu: number;
  hellos = 0;
  inTd?: boolean;
  counts = 0;
  first?: number;
  last?: number;
  readonly gaps = new Keeper<CountPair>();
  readonly excused = new Keeper<CountPair>();
  readonly repeats = new Keeper<CountPair>();
  readonly lost = new Keeper<string>();
  /** What had been lost on the way when it was heard last. */
  #before: Lost = { bytes: 0, times: 0 };

  constructor(vcpu: number) {
    this.vcpu = vcpu;
  }

  hearHello(inTd: boolean, lost: Lost): void {
    this.hellos += 1;
    this.inTd = inTd;
    this.#before = lost;
  }

  hearCount(count: number, lost: Lost): void {
    // Counts begin at 1. Who listens from later on does not know what came before.
    const after = this.last ?? (this.hellos > 0 ? 0 : count - 1);
    const since = {
      bytes: lost.bytes - this.#before.bytes,
      times: lost.times - this.#before.times,
    };
    const pair = { after, before: count };
    if (count <= after) this.repeats.add(pair);
    else if (couldBeIn(since, this.vcpu, pair)) this.excused.add(pair);
    else if (count > after + 1) this.gaps.add(pair);
    this.counts += 1;
    this.first ??= count;
    this.last = count;
    this.#before = lost;
  }
}

/** What was lost on the way, and in how many pieces. */
interface Lost {
  readonly bytes: number;
  readonly times: number;
}

/** Whether the missing lines, of their shortest length, may be in what was lost and the lines cut by it. */
function couldBeIn(lost: Lost, vcpu: number, { after, before }: CountPair): boolean {
  const missing = before - after - 1;
  const shortest = `vcpu ${vcpu} count ${after + 1}\r\n`.length;
  return missing > 0 && (missing - 2 * lost.times) * shortest <= lost.bytes;
}

/**
 * Hears a console from the start of the guest, in whatever pieces it comes, and keeps what it says of itself.
 */
export class ExampleGuestJudge {
  readonly #vcpus = new Map<number, Vcpu>();
  readonly #garbled = new Keeper<string>();
  #lost: Lost = { bytes: 0, times: 0 };
  #goodbye = false;
  #panic: string | undefined;
  /** Of the line that has not ended. */
  #pieces: Uint8Array[] = [];
  #length = 0;
  /** Its beginning was lost on the way. */
  #cut = false;

  /** `lostBytes` came after `bytes`, and were lost on the way. Gives the lines that ended here. */
  hear(bytes: Uint8Array, lostBytes = 0): ExampleGuestLine[] {
    const lines: ExampleGuestLine[] = [];
    let from = 0;
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, from)) {
      this.#add(bytes.subarray(from, end));
      const line = this.#endLine();
      if (line) lines.push(line);
      from = end + 1;
    }
    this.#add(bytes.subarray(from));
    if (lostBytes > 0) {
      // What was begun is not known to its end, and what follows not from its beginning.
      this.#lost = { bytes: this.#lost.bytes + lostBytes, times: this.#lost.times + 1 };
      this.#begin(true);
    }
    return lines;
  }

  verdict(): ExampleGuestVerdict {
    return {
      vcpus: [...this.#vcpus.values()].sort((a, b) => a.vcpu - b.vcpu),
      garbled: this.#garbled,
      lostBytes: this.#lost.bytes,
      goodbye: this.#goodbye,
      ...(this.#panic !== undefined && { panic: this.#panic }),
    };
  }

  #begin(cut: boolean): void {
    this.#pieces = [];
    this.#length = 0;
    this.#cut = cut;
  }

  #add(piece: Uint8Array): void {
    if (this.#length <= longestLine && piece.length > 0)
      this.#pieces.push(piece.slice(0, longestLine + 1));
    this.#length += piece.length;
  }

  #endLine(): ExampleGuestLine | undefined {
    const text = Buffer.concat(this.#pieces).toString('utf8').replace(/\r$/, '');
    const tooLong = this.#length > longestLine;
    const cut = this.#cut;
    this.#begin(false);
    if (cut) return undefined;
    const line = tooLong ? undefined : readExampleGuestLine(text);
    if (line) this.#take(line);
    else this.#garbled.add(text.slice(0, longestLine));
    return line;
  }

  #take(line: ExampleGuestLine): void {
    switch (line.kind) {
      case 'hello':
        this.#vcpu(line.vcpu).hearHello(line.inTd, this.#lost);
        break;
      case 'count':
        this.#vcpu(line.vcpu).hearCount(line.count, this.#lost);
        break;
      case 'lost':
        this.#vcpu(line.vcpu).lost.add(line.what);
        break;
      case 'goodbye':
        this.#goodbye = true;
        break;
      case 'panic':
        this.#panic ??= line.text;
    }
  }

  #vcpu(number: number): Vcpu {
    const known = this.#vcpus.get(number);
    if (known) return known;
    const made = new Vcpu(number);
    this.#vcpus.set(number, made);
    return made;
  }
}

const newline = 0x0a;

const firstWords = Buffer.from('hello from vcpu ');

/** Whether a firmware image has the example guest in it, which says something when it starts. */
export function hasExampleGuest(image: Uint8Array): boolean {
  return Buffer.from(image.buffer, image.byteOffset, image.length).includes(firstWords);
}
