/** The address of the page keeps which state is selected. */
export function fragment(id: string): string {
  return `#state=${encodeURIComponent(id)}`;
}

/** Gives the state that the address names. An address may be anything. */
export function byAddress(): string | undefined {
  const named = /^#state=(.*)$/.exec(location.hash)?.[1];
  try {
    return named === undefined ? undefined : decodeURIComponent(named);
  } catch {
    return undefined;
  }
}
