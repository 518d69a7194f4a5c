/** A host takes only objects that it made itself: another host's name nothing in its kernel. */
export function own<Kind>(
  value: unknown,
  kind: abstract new (...args: never[]) => Kind,
  what: 'VM' | 'guest_memfd',
): Kind {
  if (value instanceof kind) return value;
  throw new TypeError(`this ${what} was made by another host`);
}
