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
let page: Page | undefined;

beforeAll(async () => {
  if (browser === undefined) return;
  const kernel = ['--kernel', 'rfc-migration-v2', '--faults', 'each'];
  await cli(['rehearse', 'examples/hello.yaml', ...kernel, '--html', file]);
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
const isHidden = 'document.getElementById("panel").hidden';

describe('the page of a rehearsal', () => {
  test('a square opens its run: the fault, how to play it again, every call as a line', async (ctx) => {
    const view = await opened(ctx);
    expect(await view.evaluate(isHidden)).toBe(true);
    const title = await view.evaluate<string>(open('TD-lost-by-the-kernel'));
    const said = await view.evaluate<string>(content);
    expect(said).toContain(title.split(': TD lost')[0]);
    expect(said).toMatch(/--fault '.+'/);
    const calls = '[...document.querySelectorAll(".sequence text")].map((one) => one.textContent)';
    const words = await view.evaluate<string[]>(calls);
    expect(words.slice(0, 5)).toEqual(['hello', 'hello move 1', 'hello→2', 'KVM', 'TDX module']);
    expect(words).toContain('KVM_CREATE_VM');
    expect(words).toContainEqual(expect.stringMatching(/^KVM_CREATE_VCPU ×4/));
    expect(await view.evaluate('document.querySelectorAll(".sequence line.call").length')).toBe(
      await view.evaluate('document.querySelectorAll(".sequence path.call").length'),
    );
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
    const tip = 'document.querySelector("svg g title").textContent';
    expect(await view.evaluate<string>(tip)).toMatch(/^creatingVm, done, .*\n.+ ×\d+: ok/);
  });
});
