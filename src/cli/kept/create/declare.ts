/** What `create` and `apply` take. */
import { Argument, Command, Option } from '@commander-js/extra-typings';
import { inputFile } from '../../file-arguments.ts';
import { faultOption, hostOption, kernelOption } from '../../options.ts';
import { keptOutputOption } from '../options.ts';

export const createOptions = (name: string) =>
  new Command(name)
    .addArgument(inputFile(new Argument('<spec>', 'TrustDomain file (`tdctl init` writes one)')))
    .option('--name <name>', 'the name of the TD (default: metadata.name of the file)')
    .addOption(hostOption())
    .addOption(kernelOption())
    .option('--start', 'run its guest as soon as it is built')
    .option('--queue', 'wait in order for a key slot where none is free')
    .addOption(new Option('--unit', 'keep it in a transient unit of systemd, with its limits'))
    .option('--any-measurement', 'start even if the MRTD is not the one the file expects')
    .addOption(faultOption('a sim or soft host'))
    .addOption(keptOutputOption());
