/** These states do the work of a chart. */

interface Row {
  readonly actor: string;
  readonly does: string;
}

/**
 * Makes a state that carries out a row of a step table. The caller decides where each of its two ends
 * leads.
 */
export function working<
  const Step extends Row,
  const Ends extends { readonly onDone: unknown; readonly onError: unknown },
>(
  { actor, does }: Step,
  ends: Ends,
): { description: string; invoke: { src: Step['actor'] } & Ends } {
  return { description: does, invoke: { src: actor, ...ends } };
}
