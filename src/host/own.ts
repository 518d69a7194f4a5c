/** A host takes only objects that it made itself: another host's name nothing in its kernel. */
export function own<Kind>(
  value: unknown,
  kind: { readonly prototype: Kind },
  what: 'VM' | 'vCPU' | 'guest_memfd' | 'memory',
): Kind {
  if (value instanceof (kind as unknown as new () => Kind)) return value;
  throw new TypeError(`this ${what} was made by another host`);
}
