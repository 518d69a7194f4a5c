/** Options that several commands share, so that they read and behave the same everywhere. */
import { Option } from '@commander-js/extra-typings';
import { standardStream } from '../documents/path-in-words.ts';
import { hostName, outputFile } from './file-arguments.ts';
import { usefulWith } from './useful-options.ts';

export const outputFormats = ['text', 'json', 'yaml'] as const;
export type OutputFormat = (typeof outputFormats)[number];

const logLevels = ['error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof logLevels)[number];

export const outputOption = () =>
  new Option('-o, --output <format>', 'how to print: for people, or as data')
    .choices(outputFormats)
    .default('text' as const);

export const hostOption = () =>
  hostName(
    new Option(
      '--host <host>',
      'auto, kvm, soft[:PROFILE] (real KVM, simulated TDX module), sim[:PROFILE] (all simulated) or on:NAME (`tdctl host start`)',
    ).default('auto'),
  );

/** Without a default, because a real kernel is asked for its rules where none are named. */
export const kernelOption = () =>
  new Option(
    '--kernel <abi>',
    'whose KVM rules a sim or soft host follows (default: upstream-7.3), or a kvm host has (default: it is asked)',
  );

export const simulatedKernelOption = () =>
  new Option('--kernel <abi>', 'whose KVM rules a simulated host follows').default('upstream-7.3');

export const faultOption = (hosts: 'the simulated host' | 'a sim or soft host') =>
  repeatableFault(`make a call of ${hosts} fail, such as KVM_CREATE_VCPU#3=ENOMEM; repeatable`);

export const repeatableFault = (description: string) =>
  new Option('--fault <fault>', description)
    .argParser((text: string, before: string[] | undefined) => [...(before ?? []), text])
    .default([] as string[], 'none');

/** Commands that take a Rehearsal file have no default here, because the file may name both. */
export const rehearsedHostOption = () =>
  hostName(
    new Option(
      '--host <host>',
      'sim[:PROFILE], soft[:PROFILE] or kvm (default: as the file says, or sim)',
    ),
  );

export const rehearsedKernelOption = () =>
  new Option(
    '--kernel <abi>',
    'whose KVM rules a sim or soft host follows, or a kvm host has (default: as the file says, or upstream-7.3; a kvm host is asked)',
  );

/** How what is played without a Rehearsal file differs from the usual. */
export const hopsOption = () => new Option('--hops <n>', 'moves of each TD, one after the other');
export const countOption = () =>
  new Option(
    '--count <n>',
    'so many TDs, alive at the same time; each operation on one after the other',
  );
export const slotsLeftOption = () =>
  new Option('--slots-left <n>', 'key slots that TDs of others leave free');
export const uncheckedOption = () =>
  new Option('--unchecked', 'let the kernel answer what tdctl would refuse');
export const destinationVcpusOption = () =>
  new Option('--destination-vcpus <n>', 'vCPUs of the destination, where they shall differ');

/** For outputs that cannot be made again by the same command (docs/files.md). */
export const forceOption = (needed: Parameters<typeof usefulWith>[0]) =>
  usefulWith(needed)(new Option('--force', 'replace a file of that name'));

/** Nothing can be replaced on standard output. */
const namesFile = ({ args }: Readonly<Record<string, unknown>>) =>
  (args as readonly unknown[])[0] !== standardStream;
export const forceForFile = () =>
  forceOption({ has: namesFile, only: 'for a file, and not for standard output' });

export const logLevelOption = () =>
  new Option('--log-level <level>', 'write a log, JSON lines, to stderr or --log-file').choices(
    logLevels,
  );

export const logFileOption = () =>
  outputFile(
    new Option(
      '--log-file <file>',
      'where the log goes, after what is there; implies --log-level info',
    ),
  );
