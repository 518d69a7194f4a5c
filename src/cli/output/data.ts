import { dataValue } from '../../documents/data-values.ts';
import type { CommandIo } from '../io.ts';
import type { OutputFormat } from '../options.ts';
import type { Content, DocumentKind } from './contract/index.ts';
import { print } from './print.ts';

interface PrintOptions {
  readonly io: CommandIo;
  readonly format: OutputFormat;
  readonly text: () => string;
}

/** Prints one document on stdout in the format asked for. Values are those of {@link dataValue}. */
export async function printData<Kind extends DocumentKind>(
  kind: Kind,
  content: Content<Kind>,
  { io, format, text }: PrintOptions,
): Promise<void> {
  if (format === 'text') print(io, text());
  else io.stdout.write(await dataText(documentOf(kind, content), format));
}

/** Every kind has this version until one of them changes. */
export const documentVersion = 1;

/** Every document says first what it is. */
export function documentOf<Kind extends DocumentKind>(
  kind: Kind,
  content: Content<Kind>,
): { readonly kind: Kind; readonly version: typeof documentVersion } & Content<Kind> {
  return Object.assign({ kind, version: documentVersion } as const, content);
}

export async function dataText(value: unknown, format: 'json' | 'yaml'): Promise<string> {
  const plain = JSON.stringify(value, dataValue, 2);
  if (format === 'json') return `${plain}\n`;
  const { stringify } = await import('yaml');
  return stringify(JSON.parse(plain));
}
