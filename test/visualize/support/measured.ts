/** What is asked of a page, and what was found. These are types alone: tests and page share them. */
export interface Wanted {
  /** The least size of text in pixels of the screen. */
  readonly text: number;
  /** What is seen by its colour alone, as selectors. */
  readonly marks: readonly string[];
  /** A picture that is larger than the window is scrolled, and no page is. */
  readonly mayOverflow?: boolean;
}

export interface Measured {
  /** So many texts were in sight: a page that shows none has no faults either. */
  readonly texts: number;
  readonly marks: Readonly<Record<string, number>>;
  readonly faults: readonly string[];
}
