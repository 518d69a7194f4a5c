import type { CommandIo } from '../io.ts';
import { askTds, forTds } from '../kept/for-tds.ts';

export function resumeCommand(io: CommandIo, endWith: (exitCode: number) => void) {
  return forTds('resume')
    .summary('let paused TDs run on')
    .description('Lets the vCPUs of a TD that `tdctl pause` has stopped run on.')
    .addHelpText(
      'after',
      `
Examples:
  tdctl resume hello
  tdctl resume -l team=blue

Exit codes: 0 running, also where it ran already · 1 failed · 2 usage · 3 no such TD ·
            4 not in this state`,
    )
    .action(askTds('resume', { io, endWith }));
}
