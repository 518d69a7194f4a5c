import { dataValue } from '../../documents/data-values.ts';
import type { CommandIo } from '../io.ts';
import type { OutputFormat } from '../options.ts';
import { print } from './print.ts';

/** Prints one value on stdout in the format asked for. Values are those of {@link dataValue}. */
export async function printData(
  value: unknown,
  options: { readonly io: CommandIo; readonly format: OutputFormat; readonly text: () => string },
): Promise<void> {
  const { io, format, text } = options;
  if (format === 'text') print(io, text());
  else io.stdout.write(await dataText(value, format));
}

export async function dataText(value: unknown, format: 'json' | 'yaml'): Promise<string> {
  const plain = JSON.stringify(value, dataValue, 2);
  if (format === 'json') return `${plain}\n`;
  const { stringify } = await import('yaml');
  return stringify(JSON.parse(plain));
}
