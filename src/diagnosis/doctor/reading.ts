/** A reading is what came of looking somewhere. It is JSON, which captures hold. */

export type Reading<Value> =
  | { readonly state: 'read'; readonly from: string; readonly value: Value }
  | {
      /**
       * `absent`: nothing is there. `denied`: this user may not look. `unreadable`: something is
       * there and is not what it should be. `not-asked`: there was no means to look.
       */
      readonly state: 'absent' | 'denied' | 'unreadable' | 'not-asked';
      readonly from: string;
    };

export function read<Value>(from: string, value: Value): Reading<Value> {
  return { state: 'read', from, value };
}

export function knownValue<Value>(reading: Reading<Value>): Value | undefined {
  return reading.state === 'read' ? reading.value : undefined;
}

/** Gives the reading of what `parse` finds in it; nothing found is `unreadable`. */
export function parsed<Input, Output>(
  reading: Reading<Input>,
  parse: (value: Input) => Output | undefined,
): Reading<Output> {
  if (reading.state !== 'read') return reading;
  const value = parse(reading.value);
  if (value === undefined) return { state: 'unreadable', from: reading.from };
  return read(reading.from, value);
}

const words = {
  absent: 'is not there',
  denied: 'may not be read by this user',
  unreadable: 'could not be understood',
  'not-asked': 'was not asked',
} as const;

/** Words a reading for a check that cannot tell: `/dev/kmsg may not be read by this user`. */
export function whyNotRead(reading: Reading<unknown>): string {
  return reading.state === 'read'
    ? `${reading.from} was read`
    : `${reading.from} ${words[reading.state]}`;
}
