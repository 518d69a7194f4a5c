/**
 * Every command. A command is loaded when it is asked for, and all of
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

/** By what they are for: --help lists them under these titles, in this order. */
export const commandGroups: Readonly<Record<string, Readonly<Record<string, Make>>>> = {
  'Keep TDs': {
    create: async (io) => (await import('./commands/create.ts')).createCommand(io),
    apply: async (io) => (await import('./commands/apply.ts')).applyCommand(io),
    start: async (io, endWith) => (await import('./commands/start.ts')).startCommand(io, endWith),
    pause: async (io, endWith) => (await import('./commands/pause.ts')).pauseCommand(io, endWith),
    resume: async (io, endWith) =>
      (await import('./commands/resume.ts')).resumeCommand(io, endWith),
    migrate: async (io) => (await import('./commands/migrate.ts')).migrateCommand(io),
    upgrade: async (io, endWith) =>
      (await import('./commands/upgrade.ts')).upgradeCommand(io, endWith),
    stop: async (io, endWith) => (await import('./commands/stop.ts')).stopCommand(io, endWith),
    kill: async (io, endWith) => (await import('./commands/kill.ts')).killCommand(io, endWith),
    delete: async (io, endWith) =>
      (await import('./commands/delete.ts')).deleteCommand(io, endWith),
    prune: async (io, endWith) => (await import('./commands/prune.ts')).pruneCommand(io, endWith),
    list: async (io) => (await import('./commands/list.ts')).listCommand(io),
    show: async (io) => (await import('./commands/show.ts')).showCommand(io),
    logs: async (io) => (await import('./commands/logs.ts')).logsCommand(io),
    console: async (io) => (await import('./commands/console.ts')).consoleCommand(io),
    events: async (io) => (await import('./commands/events.ts')).eventsCommand(io),
    wait: async (io, endWith) => (await import('./commands/wait.ts')).waitCommand(io, endWith),
  },
  'Prepare a TD': {
    init: async (io) => (await import('./commands/init.ts')).initCommand(io),
    import: async (io, endWith) =>
      (await import('./commands/import.ts')).importCommand(io, endWith),
    measure: async (io) => (await import('./commands/measure.ts')).measureCommand(io),
    plan: async (io, endWith) => (await import('./commands/plan.ts')).planCommand(io, endWith),
    fit: async (io, endWith) => (await import('./commands/fit.ts')).fitCommand(io, endWith),
    footprint: async (io) => (await import('./commands/footprint.ts')).footprintCommand(io),
  },
  'Try it': {
    run: async (io) => (await import('./commands/run.ts')).runCommand(io),
    rehearse: async (io, endWith) =>
      (await import('./commands/rehearse.ts')).rehearseCommand(io, endWith),
    watch: async (io, endWith) => (await import('./commands/watch.ts')).watchCommand(io, endWith),
    exec: async (io, endWith) => (await import('./commands/exec.ts')).execCommand(io, endWith),
  },
  Understand: {
    doctor: async (io, endWith) =>
      (await import('./commands/doctor.ts')).doctorCommand(io, endWith),
    host: async (io, endWith) => (await import('./commands/host.ts')).hostCommand(io, endWith),
    kernels: async (io) => (await import('./commands/kernels.ts')).kernelsCommand(io),
    explain: async (io) => (await import('./commands/explain.ts')).explainCommand(io),
    trace: async (io, endWith) => (await import('./commands/trace.ts')).traceCommand(io, endWith),
    graph: async (io) => (await import('./commands/graph.ts')).graphCommand(io),
  },
  'About tdctl': {
    completion: async (io, _, wholeTree) =>
      (await import('./commands/completion.ts')).completionCommand(io, wholeTree),
    man: async (io, _, wholeTree) => (await import('./commands/man.ts')).manCommand(io, wholeTree),
  },
};

export const commandTable: Readonly<Record<string, Make>> = Object.assign(
  {},
  ...Object.values(commandGroups),
);
