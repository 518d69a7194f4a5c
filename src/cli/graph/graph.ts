/** `tdctl graph` shows one chart in the form asked for, or facts about it. */
import type { CommandIo } from '../io.ts';
import { layOut } from '../output/layout.ts';
import { print } from '../output/print.ts';
import { chooseMachine, listMachines, machineWanted, stateIds } from './choose-machine.ts';
import { drawPicture } from './draw-picture.ts';
import type { GraphOptions } from './options.ts';
import { readEvents } from './read-events.ts';
import { writeOutput } from './write-output.ts';

/** @throws TdctlError for whatever keeps the chart from being shown. */
export async function graph(options: GraphOptions, io: CommandIo): Promise<void> {
  if (options.machine === undefined) {
    if (asksForOne(options)) throw machineWanted();
    print(io, listMachines());
    return;
  }
  const model = chooseMachine(options.machine);
  if (options.paths) {
    const { pathsText } = await import('./paths-text.ts');
    const runs = options.coverage && (await readEvents(options.coverage));
    await writeOutput(laidOut(pathsText(model, runs), options, io), { path: options.out, io });
  } else if (options.coverage !== undefined) {
    const { coverageText } = await import('./coverage-text.ts');
    const text = await coverageText(model, options.coverage);
    await writeOutput(laidOut(text, options, io), { path: options.out, io });
  } else {
    const active = stateIds(options.active ?? [], model);
    await drawPicture(model, { ...options, active }, io);
  }
}

/** A file has no width. */
function laidOut(text: string, { out }: GraphOptions, { widths }: CommandIo): string {
  return layOut(text, out === undefined ? widths.stdout : undefined);
}

function asksForOne({ format, out, active, paths, coverage }: GraphOptions): boolean {
  return [format, out, active, paths, coverage].some((option) => option !== undefined);
}
