import { writeFile } from 'node:fs/promises';
import { TdctlError } from '../../errors/index.ts';
import type { RehearsalReport } from './report.ts';

/** @throws TdctlError TDCTL_E_NOT_WRITABLE. */
export async function writeHtml(report: RehearsalReport, path: string): Promise<void> {
  const { rehearsalPage } = await import('./page/page.ts');
  try {
    await writeFile(path, rehearsalPage(report));
  } catch (cause) {
    throw new TdctlError({
      code: 'TDCTL_E_NOT_WRITABLE',
      op: 'write the report',
      place: path,
      message: 'the report cannot be written there',
      hint: 'name a file in a directory that exists and that you may write to',
      cause,
    });
  }
}
