/** The commands below `tdctl host` about simulated hosts that stay: docs/shared-host.md. */
import { Argument, Command, Option } from '@commander-js/extra-typings';
import { hostName } from '../file-arguments.ts';
import type { CommandIo } from '../io.ts';
import { outputOption, simulatedKernelOption } from '../options.ts';

export function sharedHostCommands(io: CommandIo): readonly object[] {
  return [
    startCommand(io),
    listCommand(io),
    showCommand(io),
    stopCommand(io),
    faultCommand(io),
    traceCommand(io),
  ];
}

const named = () => new Argument('<name>', 'what the host is called: `--host on:NAME` joins it');

function startCommand(io: CommandIo) {
  return new Command('start')
    .summary('start a simulated host that stays, for many programs')
    .description(
      'Starts a process that has one simulated machine. Commands with `--host on:NAME` join it, each as a ' +
        'process of its kernel: they share its key slots and its memory, and what one of them holds goes when it ' +
        'ends or is killed. Nobody but you can join it.',
    )
    .addArgument(named())
    .addOption(
      hostName(new Option('--host <machine>', 'sim[:PROFILE], sim:FILE or FILE').default('sim')),
    )
    .addOption(simulatedKernelOption())
    .addOption(new Option('--foreground', 'serve it in this process, until a signal ends that'))
    .addHelpText(
      'after',
      `
Examples:
  tdctl host start lab --host sim:gnr-2.0
  tdctl run td.yaml --host on:lab
  tdctl host stop lab

Exit codes: 0 it serves · 4 there is one of that name · 8 KVM does not load on such a machine`,
    )
    .action(async (name, options) => {
      const { startHost } = await import('../shared-host/start.ts');
      await startHost({ name, ...options }, io);
    });
}

function listCommand(io: CommandIo) {
  return new Command('list')
    .summary('list the simulated hosts that stay')
    .description(
      'Lists the hosts that `tdctl host start` has started, with their key slots and how many programs are on each.',
    )
    .addOption(outputOption())
    .action(async (options) => {
      const { listHosts } = await import('../shared-host/tend.ts');
      await listHosts(options, io);
    });
}

function showCommand(io: CommandIo) {
  return new Command('show')
    .summary('show a simulated host that stays, and who is on it')
    .description(
      'Shows its machine, its process, its key slots, and the programs that have joined it.',
    )
    .addArgument(named())
    .addOption(outputOption())
    .addHelpText('after', '\nExit codes: 0 shown · 3 there is none of that name')
    .action(async (name, { output }) => {
      const { showSharedHost } = await import('../shared-host/tend.ts');
      await showSharedHost({ name, output }, io);
    });
}

function stopCommand(io: CommandIo) {
  return new Command('stop')
    .summary('end a simulated host that stays')
    .description(
      'Ends the process of the host, and all that is on its machine. Where a program is on it, that is refused. Of ' +
        'a host whose process was killed, it removes what is left.',
    )
    .addArgument(named())
    .addOption(
      new Option('--now', 'though programs are on it: their calls fail, and they are told why'),
    )
    .addHelpText(
      'after',
      '\nExit codes: 0 stopped · 3 there is none of that name · 4 programs are on it',
    )
    .action(async (name, { now }) => {
      const { stopHost } = await import('../shared-host/tend.ts');
      await stopHost({ name, now }, io);
    });
}

function faultCommand(io: CommandIo) {
  return new Command('fault')
    .summary('make calls on a simulated host fail while it runs')
    .description(
      'Each fault has the form that `tdctl run --fault` takes, and counts the calls of all programs from now on.',
    )
    .addArgument(named())
    .addArgument(new Argument('[fault...]', 'such as KVM_CREATE_VCPU#3=ENOMEM'))
    .addOption(new Option('--clear', 'take back those that were asked for before'))
    .addHelpText(
      'after',
      `
Examples:
  tdctl host fault lab TDH.MNG.KEY.CONFIG=TDX_KEY_GENERATION_FAILED
  tdctl host fault lab KVM_TDX_INIT_VM=foreign-tds+3
  tdctl host fault lab --clear`,
    )
    .action(async (name, faults, { clear }) => {
      const { addFaults } = await import('../shared-host/tend.ts');
      await addFaults({ name, faults, clear: clear === true }, io);
    });
}

function traceCommand(io: CommandIo) {
  return new Command('trace')
    .summary('print every call of all programs on a simulated host')
    .description(
      'Prints each ioctl, each SEAMCALL leaf and each last close from now on, until Ctrl-C or the end of the host. ' +
        'T3 is the program 3 of `tdctl host show`.',
    )
    .addArgument(named())
    .addOption(
      new Option('--format <format>', 'text, or JSON lines')
        .choices(['text', 'json'] as const)
        .default('text' as const),
    )
    .addOption(new Option('--for <time>', 'end by itself after so long: 500ms, 3s, 5min'))
    .action(async (name, options) => {
      const { traceHost } = await import('../shared-host/tend.ts');
      await traceHost({ name, ...options }, io);
    });
}
