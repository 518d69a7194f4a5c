/** What of a page's text is too small, too pale, covered by other text or beyond the window. */
import type { Page } from './browser.ts';
import type { Measured, Wanted } from './measured.ts';

/** The program of the tests has no types of the browser, so what runs there is loaded without them. */
const script: string = './client/measure.ts';

export async function measure(page: Page, wanted: Wanted): Promise<Measured> {
  const { measureHere } = await import(script);
  return await page.evaluate<Measured>(`(${measureHere.toString()})(${JSON.stringify(wanted)})`);
}
