import type { CommandIo } from '../io.ts';
import type { OutputFormat } from '../options.ts';
import { print } from './print.ts';

/** Prints one value on stdout in the format asked for. Data has BigInts as hexadecimal strings with 0x. */
export async function printData(
  value: unknown,
  options: { readonly io: CommandIo; readonly format: OutputFormat; readonly text: () => string },
): Promise<void> {
  const { io, format, text } = options;
  if (format === 'text') print(io, text());
  else io.stdout.write(await dataText(value, format));
}

export async function dataText(value: unknown, format: 'json' | 'yaml'): Promise<string> {
  const plain = JSON.stringify(value, replaceBigInt, 2);
  if (format === 'json') return `${plain}\n`;
  const { stringify } = await import('yaml');
  return stringify(JSON.parse(plain));
}

export function replaceBigInt(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `0x${value.toString(16)}` : value;
}
