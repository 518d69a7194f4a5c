/**
 * Every command, in the order in which --help lists them. A command is loaded when it is asked for, and all of
 * them only by what shows the whole tree: --help, completion, man.
 */
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CommandIo } from './io.ts';

/** The word that is typed is the key here, and the name that the command gives itself. */
type Make = (
  io: CommandIo,
  endWith: (exitCode: number) => void,
  wholeTree: () => Promise<CommandUnknownOpts>,
) => Promise<object>;

export const commandTable: Readonly<Record<string, Make>> = {
  plan: async (io, endWith) => (await import('./commands/plan.ts')).planCommand(io, endWith),
  fit: async (io, endWith) => (await import('./commands/fit.ts')).fitCommand(io, endWith),
  footprint: async (io) => (await import('./commands/footprint.ts')).footprintCommand(io),
  run: async (io) => (await import('./commands/run.ts')).runCommand(io),
  rehearse: async (io, endWith) =>
    (await import('./commands/rehearse.ts')).rehearseCommand(io, endWith),
  doctor: async (io, endWith) => (await import('./commands/doctor.ts')).doctorCommand(io, endWith),
  explain: async (io) => (await import('./commands/explain.ts')).explainCommand(io),
  host: async (io, endWith) => (await import('./commands/host.ts')).hostCommand(io, endWith),
  graph: async (io) => (await import('./commands/graph.ts')).graphCommand(io),
  watch: async (io, endWith) => (await import('./commands/watch.ts')).watchCommand(io, endWith),
  exec: async (io, endWith) => (await import('./commands/exec.ts')).execCommand(io, endWith),
  trace: async (io, endWith) => (await import('./commands/trace.ts')).traceCommand(io, endWith),
  kernels: async (io) => (await import('./commands/kernels.ts')).kernelsCommand(io),
  measure: async (io) => (await import('./commands/measure.ts')).measureCommand(io),
  init: async (io) => (await import('./commands/init.ts')).initCommand(io),
  completion: async (io, _, wholeTree) =>
    (await import('./commands/completion.ts')).completionCommand(io, wholeTree),
  man: async (io, _, wholeTree) => (await import('./commands/man.ts')).manCommand(io, wholeTree),
};
