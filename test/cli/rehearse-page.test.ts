/** The page of a rehearsal in a real browser, opened from disk. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { cli } from '../support/cli.ts';

import { findBrowser, openBrowser, type Page } from '../visualize/support/browser.ts';

const browser = findBrowser();
const directory = mkdtempSync(join(tmpdir(), 'tdctl-rehearsal-'));
const file = join(directory, 'page.html');
const rehearse = ['rehearse', 'examples/hello.yaml', '--kernel', 'rfc-migration-v2'];
let page: Page | undefined;

beforeAll(async () => {
  if (browser === undefined) return;
  await cli([...rehearse, '--faults', 'each', '--html', file]);
  page = await openBrowser(browser);
});
afterAll(async () => {
  await page?.close();
  rmSync(directory, { recursive: true });
});

async function opened(ctx: TestContext): Promise<Page> {
  if (page === undefined) ctx.skip('Chromium is not installed');
  const view = page as Page;
  await view.goto(pathToFileURL(file).href);
  return view;
}

const open = (outcome: string) =>
  `(() => { const cell = document.querySelector('button.cell.${outcome}'); cell.click(); return cell.title; })()`;
const content = 'document.getElementById("content").innerText';
const fault = 'document.querySelector(".sequence text.fault")';
const isHidden = 'document.getElementById("panel").hidden';

describe('the page of a rehearsal', () => {
  test('a square opens its run: the fault, how to play it again, every call as a line', async (ctx) => {
    const view = await opened(ctx);
    expect(await view.evaluate(isHidden)).toBe(true);
    const title = await view.evaluate<string>(open('TD-lost-by-the-kernel'));
    const said = await view.evaluate<string>(content);
    expect(said).toContain(title.split(': TD lost')[0]);
    const columns = '[...document.querySelectorAll(".columns text")].map((one) => one.textContent)';
    expect(await view.evaluate(columns)).toEqual([
      'hello',
      'hello move 1',
      'hello→2',
      'KVM',
      'TDX module',
    ]);
    const calls = '[...document.querySelectorAll(".sequence text")].map((one) => one.textContent)';
    const words = await view.evaluate<string[]>(calls);
    expect(words).toContain('KVM_CREATE_VM');
    expect(words).toContainEqual(expect.stringMatching(/^KVM_CREATE_VCPU ×4/));
    expect(await view.evaluate('document.querySelectorAll(".sequence line.call").length')).toBe(
      await view.evaluate('document.querySelectorAll(".sequence path.call").length'),
    );
  });

  test('it opens at the fault, whose answer is in view, and only what comes of it is red', async (ctx) => {
    const view = await opened(ctx);
    await view.evaluate(open('TD-lost-by-the-kernel'));
    const seen = `(() => { const at = ${fault}.getBoundingClientRect(); const frame = document.querySelector('.calls').getBoundingClientRect(); return [at.left - frame.left, at.top - frame.top, frame.right - at.right, frame.bottom - at.bottom].map(Math.sign); })()`;
    expect(await view.evaluate(seen)).toEqual([1, 1, 1, 1]);
    expect(await view.evaluate('document.querySelector(".calls").scrollTop')).toBeGreaterThan(500);
    const texts = (tone: string) =>
      `[...document.querySelectorAll(".sequence text.${tone}")].map((one) => one.textContent)`;
    expect(await view.evaluate<string[]>(texts('routine'))).toContainEqual(
      expect.stringMatching(/^TDH\.MNG\.RD.* = TDX_METADATA_FIELD_NOT_READABLE$/),
    );
    const red = await view.evaluate<string[]>(texts('refused'));
    expect(red).not.toEqual([]);
    expect(red.join()).not.toContain('TDH.MNG.RD');
  });

  test('the command that it gives plays that run', async (ctx) => {
    const view = await opened(ctx);
    await view.evaluate(open('TD-lost-by-the-kernel'));
    const command = await view.evaluate<string>('document.querySelector(".again code").innerText');
    const words = command.match(/'[^']*'|\S+/g)?.map((word) => word.replaceAll("'", '')) ?? [];
    expect(words.slice(0, 5)).toEqual(['tdctl', ...rehearse]);
    const { stdout } = await cli([...words.slice(1), '-o', 'json']);
    expect(JSON.parse(stdout).run.losses).toContainEqual(
      expect.objectContaining({ what: 'TD', by: 'kernel' }),
    );
  });

  test('the timeline fits a wide window; in a narrow one it opens at the move, and names its lanes', async (ctx) => {
    const view = await opened(ctx);
    const overflow =
      '(() => { const { scrollWidth, clientWidth } = document.getElementById("timeline"); return scrollWidth - clientWidth; })()';
    expect(await view.evaluate(overflow)).toBe(0);
    await view.show({ width: 480, height: 900, theme: 'light' });
    await view.goto(pathToFileURL(file).href);
    expect(await view.evaluate(overflow)).toBeGreaterThan(100);
    const left = (selector: string) =>
      `document.querySelector('${selector}').getBoundingClientRect().left`;
    const frame = await view.evaluate<number>(left('#timeline'));
    expect(await view.evaluate<number>(left('.lane'))).toBe(frame);
    const border = await view.evaluate<number>(left('.lines .border'));
    expect(border).toBeGreaterThan(frame + 92);
    expect(border).toBeLessThan(480);
    await view.evaluate('document.getElementById("whole").click()');
    expect(await view.evaluate(overflow)).toBe(0);
    await view.show({ width: 1400, height: 900, theme: 'light' });
  });

  test('the key slots stand on the scale of the steps', async (ctx) => {
    const view = await opened(ctx);
    const box = (selector: string) =>
      `(({ left, width }) => ({ left, width }))(document.querySelector('${selector}').getBoundingClientRect())`;
    expect(await view.evaluate(box('.slots svg'))).toEqual(
      await view.evaluate(box('.axis .track')),
    );
    // A slot is taken by the step that makes the TD.
    const rise = `(() => { const line = document.querySelector('path.slots'); const x = Number(/^M[^H]*H([\\d.]+)/.exec(line.getAttribute('d'))[1]); const { left, width } = line.ownerSVGElement.getBoundingClientRect(); return left + width * x / 1000; })()`;
    const step = (name: string) =>
      `[...document.querySelectorAll('.step')].find((one) => one.innerText.includes('${name}') || one.title.includes('${name}')).getBoundingClientRect().right`;
    const at = await view.evaluate<number>(rise);
    expect(Math.abs(at - (await view.evaluate<number>(step('initializingTd'))))).toBeLessThan(2);
  });

  test('what is repeated for each page has one frame, and says how often', async (ctx) => {
    const view = await opened(ctx);
    await view.evaluate(open('unharmed'));
    const frames = await view.evaluate<number>('document.querySelectorAll(".loop").length');
    expect(frames).toBeGreaterThan(0);
    const counts = `[...document.querySelectorAll('.loop + text')].map((one) => one.textContent)`;
    const told = await view.evaluate<string[]>(counts);
    expect(told).toHaveLength(frames);
    for (const count of told) expect(count).toMatch(/^×\d+$/);
  });

  test('another square replaces it; Escape closes it, and the square has the focus', async (ctx) => {
    const view = await opened(ctx);
    await view.evaluate(open('unharmed'));
    const title = await view.evaluate<string>(open('refused'));
    expect(await view.evaluate('document.querySelectorAll(".chosen").length')).toBe(1);
    await view.press('Escape');
    expect(await view.evaluate(isHidden)).toBe(true);
    expect(await view.evaluate('document.activeElement.title')).toBe(title);
    expect(await view.evaluate('document.querySelectorAll(".chosen").length')).toBe(0);
  });

  test('loads nothing but itself, keeps its policy, and says each request on its own line', async (ctx) => {
    const view = await opened(ctx);
    const others = view.requests.filter((url) => !url.startsWith('file:') && url !== 'about:blank');
    expect(others).toEqual([]);
    expect(view.errors).toEqual([]);
    const tip = 'document.querySelector(".step").title';
    expect(await view.evaluate<string>(tip)).toMatch(/^1 creatingVm, done, .*\n.+ ×\d+: ok/);
  });
});
