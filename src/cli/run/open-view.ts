import type { CommandIo } from '../io.ts';
import type { OutputFormat } from '../options.ts';
import type { RunView } from './view.ts';

export async function openRunView(format: OutputFormat, io: CommandIo): Promise<RunView> {
  if (format === 'text') return (await import('./text-view.ts')).textView(io);
  return (await import('./data-view.ts')).dataView(format, io);
}
