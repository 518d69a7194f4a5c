import { type OutputFormat, outputFormats } from './options.ts';

/**
 * The format in which errors are shown: also those before commander has read the options, or whose mistake
 * stands before the option. The last one counts, as for commander; after `--` come the words of another program.
 */
export function askedFormat(args: readonly string[]): OutputFormat {
  const end = args.indexOf('--');
  const own = end === -1 ? args : args.slice(0, end);
  const asked = own.flatMap((arg, index) => {
    const [, value] = /^(?:--output=|-o)(.+)$/s.exec(arg) ?? [];
    const named = arg === '-o' || arg === '--output' ? own[index + 1] : value;
    return named === undefined ? [] : [named];
  });
  return outputFormats.find((format) => format === asked.at(-1)) ?? 'text';
}
