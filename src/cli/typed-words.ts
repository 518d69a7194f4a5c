import type { CommandUnknownOpts } from '@commander-js/extra-typings';

/** The words after `tdctl`, as they were typed. */
export function typedWords(command: CommandUnknownOpts): readonly string[] {
  let root: CommandUnknownOpts = command;
  while (root.parent !== null) root = root.parent;
  // Commander keeps them, and its types do not say so.
  return (root as CommandUnknownOpts & { readonly rawArgs: readonly string[] }).rawArgs;
}
