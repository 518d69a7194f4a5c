/** A command of QEMU as a draft. */
import { resolve } from 'node:path';
import type { Draft } from '../draft.ts';
import { options, readLast } from './options.ts';
import type { Reading } from './parts.ts';

export interface CommandSource {
  /** What `notTaken` names as the place. */
  readonly place: string;
  /** What relative paths are relative to. */
  readonly directory: string;
}

interface Said {
  readonly name: string;
  readonly value: string;
  readonly whole: string;
}

/** @param words what follows the program. */
export function readQemu(draft: Draft, words: readonly string[], source: CommandSource): void {
  const reading: Reading = {
    draft,
    place: source.place,
    directory: resolve(source.directory),
    drives: new Map(),
    netdevs: new Map(),
    chardevs: new Map(),
    memories: new Set(),
  };
  const said = [...optionsOf(words, reading)];
  // A chardev is named by netdevs as well, so all of them come first.
  const rank = ({ name }: Said) => (name === 'chardev' ? 0 : readLast.has(name) ? 2 : 1);
  for (const each of [0, 1, 2]) {
    for (const { name, value, whole } of said.filter((option) => rank(option) === each)) {
      options[name]?.handle(reading, value, whole);
    }
  }
  for (const [id] of reading.drives) {
    // A node that another stands on is no disk of its own.
    if (
      !said.some(({ value }) => value.includes(`"file":"${id}"`) || value.includes(`file=${id}`))
    ) {
      draft.leave(
        reading.place,
        `a drive with the id ${id}`,
        'no virtio-blk device of the command has it',
      );
    }
  }
  for (const [id] of reading.netdevs) {
    draft.leave(
      reading.place,
      `a netdev with the id ${id}`,
      'no virtio-net device of the command has it',
    );
  }
}

function* optionsOf(words: readonly string[], { draft, place }: Reading): Generator<Said> {
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    const name = /^--?([A-Za-z0-9][\w-]*)$/.exec(word)?.[1];
    const option = name !== undefined && Object.hasOwn(options, name) ? options[name] : undefined;
    if (option === undefined || name === undefined) {
      const next = words[at + 1];
      const takesNext = name !== undefined && next !== undefined && !next.startsWith('-');
      draft.leave(place, takesNext ? `${word} ${next}` : word, 'tdctl does not know it');
      if (takesNext) at += 1;
    } else if (option.hasValue) {
      const value = words[at + 1] ?? '';
      yield { name, value, whole: `${word} ${value}` };
      at += 1;
    } else yield { name, value: '', whole: word };
  }
}
