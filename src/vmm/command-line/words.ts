/** How values are written on QEMU's command line. */

/** In `key=value,key=value` a comma of a value stands twice (util/keyval.c). */
export function escaped(value: string): string {
  return value.replaceAll(',', ',,');
}

/** An option of which QEMU takes the value as JSON, where nothing needs escaping. */
export function json(option: string, value: Readonly<Record<string, unknown>>): string[] {
  return [option, JSON.stringify(value)];
}
