/** An XML document as elements with their places. No entity of its own is expanded, and nothing outside is read. */
import { DOMParser, type Element as XmlElement } from '@xmldom/xmldom';
import { shorten } from '../../../documents/wording.ts';
import { TdctlError } from '../../../errors/index.ts';

export class Xml {
  readonly #element: XmlElement;
  readonly #file: string;

  constructor(element: XmlElement, file: string) {
    this.#element = element;
    this.#file = file;
  }

  /** Without the prefix of its namespace. */
  get name(): string {
    return this.#element.localName ?? this.#element.nodeName;
  }

  get text(): string {
    return (this.#element.textContent ?? '').trim();
  }

  get place(): string {
    const { lineNumber = 1, columnNumber = 1 } = this.#element as {
      lineNumber?: number;
      columnNumber?: number;
    };
    return `${this.#file}:${lineNumber}:${columnNumber}`;
  }

  /** The start of it as it could stand in the file: `<disk type='file'>`. */
  get head(): string {
    const attributes = [...this.#element.attributes].map(
      ({ name, value }) => ` ${name}='${value}'`,
    );
    return `<${this.#element.nodeName}${attributes.join('')}>`;
  }

  attribute(name: string): string | undefined {
    return this.#element.getAttribute(name) ?? undefined;
  }

  get children(): Xml[] {
    return [...this.#element.childNodes]
      .filter((node) => node.nodeType === node.ELEMENT_NODE)
      .map((node) => new Xml(node as XmlElement, this.#file));
  }

  child(name: string): Xml | undefined {
    return this.children.find((child) => child.name === name);
  }
}

/** @throws TdctlError TDCTL_E_SPEC_INVALID with the place of the first mistake. */
export function parseXml(text: string, file: string): Xml {
  let problem: { readonly message: string; readonly place: string } | undefined;
  const onError = (level: string, message: string, context: unknown) => {
    if (level === 'warning') return;
    const { locator } = (context ?? {}) as {
      locator?: { lineNumber?: number; columnNumber?: number };
    };
    const place = `${file}:${locator?.lineNumber ?? 1}:${locator?.columnNumber ?? 1}`;
    problem ??= { message: message.split('\n')[0] ?? '', place };
    throw new Error(message);
  };
  try {
    const root = new DOMParser({ onError }).parseFromString(text, 'text/xml').documentElement;
    if (root !== null && problem === undefined) return new Xml(root, file);
  } catch (error) {
    problem ??= { message: (error as Error).message.split('\n')[0] ?? '', place: `${file}:1:1` };
  }
  throw new TdctlError({
    code: 'TDCTL_E_SPEC_INVALID',
    op: 'read the definition',
    place: problem?.place ?? file,
    message: `this is no well-formed XML: ${shorten(problem?.message ?? 'it has no element')}`,
    hint: 'give it as libvirt writes it: virsh dumpxml --inactive NAME',
  });
}
