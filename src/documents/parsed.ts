/** What a field parser answers: the value, or everything that is wrong with the text. */
export type Parsed<T> = { readonly value: T } | { readonly problems: readonly Problem[] };

export interface Problem {
  /** A clause that follows the field's name: `must be at least 16MiB; this is 4MiB`. */
  readonly text: string;
  /** The index of the list item at fault. */
  readonly item?: number;
}

export function parsed<T>(value: T): Parsed<T> {
  return { value };
}

export function refused(text: string): { readonly problems: readonly Problem[] } {
  return { problems: [{ text }] };
}
