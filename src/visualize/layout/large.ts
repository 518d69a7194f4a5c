/** From this many states on the layout of a chart is felt: it is announced, and done with less care. */
export function isLarge(states: number): boolean {
  return states >= 250;
}
