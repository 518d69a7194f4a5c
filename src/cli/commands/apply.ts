import type { CommandIo } from '../io.ts';
import { createOptions } from '../kept/create/declare.ts';
import { typedWords } from '../typed-words.ts';

export function applyCommand(io: CommandIo) {
  return createOptions('apply')
    .summary('create the TD of a file, or say what of it is otherwise and cannot be changed')
    .description(
      'Creates the TD where there is none of its name, or where that is over. Where it is there as the file wants it, ' +
        'nothing is done, but that with --start it is started. Nothing of a TD can be changed once it is built: where ' +
        'it is otherwise, each difference is said.',
    )
    .addHelpText(
      'after',
      `
Examples:
  tdctl apply td.yaml --host sim --start
  tdctl apply td.yaml -o json | jq -r .state

Exit codes: 0 it is as the file wants it · 1 failed · 2 usage · 3 no such file · 4 it is there, and otherwise ·
            5 file invalid · 6 MRTD not as expected · 7 a limit of the host is reached · 8 host unsupported ·
            130 interrupted`,
    )
    .action(async (spec, options, command) => {
      const { createTd } = await import('../kept/create/create.ts');
      await createTd(spec, { ...options, typed: typedWords(command) }, io);
    });
}
