import type { VmmCommand, VmmPlaces, VmmPlan } from './command.ts';
import type { Making } from './element.ts';
import { elements } from './elements.ts';
import { FileTable } from './file-table.ts';

/** An element that this TD has, as words. */
export interface CommandPart {
  readonly name: string;
  readonly field: string;
  readonly words: readonly string[];
}

export function commandOf(plan: VmmPlan, places: VmmPlaces): VmmCommand {
  const { files, parts } = partsOf(plan, places);
  return { program: plan.program, args: parts.flatMap(({ words }) => words), files };
}

/** The same words, each with the field that it comes from. */
export function commandParts(plan: VmmPlan, places: VmmPlaces): readonly CommandPart[] {
  return partsOf(plan, places).parts;
}

function partsOf(plan: VmmPlan, places: VmmPlaces) {
  const { engine } = plan.spec;
  if (engine.kind !== 'qemu') throw new Error('the builtin engine has no command');
  const table = new FileTable();
  const making: Making = { ...plan, engine, places, files: table };
  const parts = elements.map(({ name, field, words }) => ({ name, field, words: words(making) }));
  return { files: table.files, parts: parts.filter(({ words }) => words.length > 0) };
}
