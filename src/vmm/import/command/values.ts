/** The values of QEMU's options: `kind,key=value,flag=on`, or JSON. */
export class OptionValues {
  readonly #values: Map<string, string>;

  private constructor(values: Map<string, string>) {
    this.#values = values;
  }

  /** @param first the key of a first part that has none, as `driver` of -device. */
  static of(text: string, first: string): OptionValues {
    const json = jsonValues(text);
    if (json !== undefined) return new OptionValues(json);
    const values = new Map<string, string>();
    // A comma that stands twice is one of the value.
    const parts = text.split(/(?<!,),(?!,)/).map((part) => part.replaceAll(',,', ','));
    for (const [index, part] of parts.entries()) {
      const at = part.indexOf('=');
      if (at < 0 && index === 0) values.set(first, part);
      else if (at < 0) values.set(flagName(part), flagValue(part));
      else add(values, part.slice(0, at).replaceAll('_', '-'), part.slice(at + 1));
    }
    return new OptionValues(values);
  }

  /** Gives a value, which nobody asks for again. */
  take(key: string): string | undefined {
    const value = this.#values.get(key);
    this.#values.delete(key);
    return value;
  }

  /** All values of a key that may be there more than once. */
  takeAll(key: string): string[] {
    return this.take(key)?.split('\0') ?? [];
  }

  /** Drops what says nothing of the TD. */
  drop(...keys: readonly string[]): void {
    for (const key of keys) this.#values.delete(key);
  }

  /** What nobody has asked for. */
  get rest(): string[] {
    return [...this.#values].map(([key, value]) => `${key}=${value.replaceAll('\0', ', ')}`);
  }
}

function add(values: Map<string, string>, key: string, value: string): void {
  const before = values.get(key);
  values.set(key, before === undefined ? value : `${before}\0${value}`);
}

/** `+x` and `-x` of -cpu, `nowait` of -chardev. */
function flagName(part: string): string {
  return part.replace(/^[+-]/, '').replaceAll('_', '-');
}

function flagValue(part: string): string {
  return part.startsWith('-') ? 'off' : 'on';
}

/** QEMU's own JSON takes single quotes as well (qobject/json-lexer.c). */
function jsonValues(text: string): Map<string, string> | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  for (const candidate of [text, text.replaceAll("'", '"')]) {
    try {
      const values = new Map<string, string>();
      flatten(JSON.parse(candidate), '', values);
      return values;
    } catch {
      // The other form, then.
    }
  }
  return undefined;
}

function flatten(value: unknown, path: string, values: Map<string, string>): void {
  if (value === null) return;
  if (typeof value === 'object') {
    for (const [key, inner] of Object.entries(value)) {
      const isItem = Array.isArray(value);
      flatten(inner, isItem ? path : path === '' ? key : `${path}.${key}`, values);
    }
    return;
  }
  const word = value === true ? 'on' : value === false ? 'off' : String(value);
  // hostfwd is a list of { str } in JSON.
  add(values, path.replace(/\.str$/, ''), word);
}
