import type { CommandIo } from '../io.ts';
import { askTds, forTds } from '../kept/for-tds.ts';

export function pauseCommand(io: CommandIo, endWith: (exitCode: number) => void) {
  return forTds('pause')
    .summary('stop the vCPUs of kept TDs, which stay whole')
    .description(
      'Takes the vCPUs out of the guest. The TD keeps its memory and its key slot, and no time passes for it but on its ' +
        'clock; `tdctl resume` lets it run on.',
    )
    .addHelpText(
      'after',
      `
Examples:
  tdctl pause hello
  tdctl pause -l team=blue

Exit codes: 0 paused, also where it was already · 1 failed · 2 usage · 3 no such TD ·
            4 not in this state`,
    )
    .action(askTds('pause', { io, endWith }));
}
