import { Command, Option } from '@commander-js/extra-typings';
import { standardStream } from '../../documents/path-in-words.ts';
import { chunksOf } from '../../documents/read-bytes.ts';
import type { CommandIo } from '../io.ts';
import { outputOption } from '../options.ts';
import { usefulWith, uselessOption } from '../useful-options.ts';

const explanation = `
Takes what the kernel, the TDX module, QEMU or libvirt said, and says what it
means, what leads to it, and what to do next. It needs no TDX and no privilege.

WHAT is any of:
  a status word   0xC000010000000044, c000010000000044, TDX_OPERAND_BUSY
  a refusal       ENOSPC KVM_TDX_INIT_VM, 'KVM_TDX_INIT_VM: Invalid argument'
  a line          of the kernel log, of QEMU or of libvirt, in quotes
  a check         init-vm.cpuid-unmatched: who makes it, when, what to do
  an id           td-params.xfam-refused, as --list prints them
  a word          such as HKID or 'key slot': the answers that have it
  a file          a whole log, by its path
  -, or nothing   a whole log on standard input

Examples:
  tdctl explain 0xc000010000000044
  tdctl explain ENOSPC KVM_TDX_INIT_VM
  tdctl explain EINVAL KVM_TDX_INIT_VM --kernel proposal-1a
  tdctl explain qemu.log
  dmesg | tdctl explain
  journalctl -k -b -1 | tdctl explain - --output json
  tdctl explain --list

Exit codes: 0 something was explained · 3 nothing was known`;

/** Where a log comes from; tests give their own. */
export interface LogInput {
  readonly isTty: boolean;
  readonly chunks: AsyncIterable<Uint8Array>;
}

// Read when it is needed: opening standard input costs every other command its start.
const pipedLog: LogInput = {
  get isTty() {
    return process.stdin.isTTY === true;
  },
  get chunks() {
    return chunksOf(standardStream);
  },
};

export function explainCommand(io: CommandIo, input: LogInput = pipedLog) {
  return new Command('explain')
    .summary('say what the kernel, the TDX module or QEMU meant')
    .description('Explain a TDX status word, a refused request, a line or a whole log.')
    .argument(
      '[what...]',
      'status word, errno and request, line, id or the path of a log; - for standard input',
    )
    .option('--list', 'print the id of every answer there is')
    .addOption(
      usefulWith({
        has: ({ list }) => list !== true,
        only: 'for what is explained, not for --list',
      })(
        new Option('--kernel <abi>', 'whose checks of a request are shown (default: upstream-7.3)'),
      ),
    )
    .addOption(outputOption())
    .addHelpText('after', explanation)
    .action(async (what, { list, kernel, output }, command) => {
      if (list && what.length > 0) throw uselessOption('--list', 'it lists all there is');
      if (list) {
        const { listAnswers } = await import('../explain/explain-text.ts');
        return listAnswers({ io, output });
      }
      const text = what.join(' ');
      if (text === '' && input.isTty) {
        command.error(
          'error: nothing to explain: name it, or pipe a log in (`dmesg | tdctl explain`)',
        );
      }
      const isLog = text === '' || text === '-';
      const { explain } = await import('../explain/explain.ts');
      await explain({ io, output, kernel, ...(isLog ? { log: input.chunks } : { text }) });
    });
}
