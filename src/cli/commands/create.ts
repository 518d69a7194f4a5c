import type { CommandIo } from '../io.ts';
import { createOptions } from '../kept/create/declare.ts';
import { typedWords } from '../typed-words.ts';

export function createCommand(io: CommandIo) {
  return createOptions('create')
    .summary('build a TD from a file that stays, kept by a process of its own')
    .description(
      'Builds a TD that stays when the command, or the terminal, has ended: a process of its own keeps it. It is shown ' +
        'step by step until the TD is runnable, or runs with --start. The same once more is no mistake: there is ' +
        'nothing to do. A TD that is over gives its name to the new one. Ctrl-C takes down what was begun; once more ' +
        'leaves it to its keeper, which goes on.',
    )
    .addHelpText(
      'after',
      `
Examples:
  tdctl create td.yaml --host sim                  a TD on a simulated host, on any machine
  tdctl create td.yaml --host soft --start         its guest runs at once
  tdctl create td.yaml --name blue-2 --start       another TD of the same file
  tdctl create td.yaml --queue                     wait for a key slot where none is free
  tdctl list
  tdctl console td

Exit codes: 0 it is as was asked for · 1 failed · 2 usage · 3 no such file · 4 the name is taken by a TD that was
            created otherwise · 5 file invalid · 6 MRTD not as expected · 7 a limit of the host is reached ·
            8 host unsupported · 130 interrupted`,
    )
    .action(async (spec, options, command) => {
      const { createTd } = await import('../kept/create/create.ts');
      await createTd(spec, { ...options, typed: typedWords(command) }, io);
    });
}
