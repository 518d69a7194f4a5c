/** The HTML page in a real browser, opened from disk. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fc } from '@fast-check/vitest';
import { afterAll, beforeAll, beforeEach, describe, expect, type TestContext, test } from 'vitest';
import { machines } from '../../machines/index.ts';
import type { ChartModel } from '../../src/visualize/chart-model.ts';
import { extractChart } from '../../src/visualize/extract.ts';
import { renderChart } from '../../src/visualize/render.ts';
import { findBrowser, openBrowser, type Page } from './support/browser.ts';
import { difficultNames } from './support/difficult-names.ts';
import { buildMachine, machineShapes } from './support/generated-machines.ts';

const browser = findBrowser();
const directory = mkdtempSync(join(tmpdir(), 'tdctl-page-'));
const lifecycle = join(directory, 'td-lifecycle.html');
let page: Page | undefined;

async function write(path: string, model: ChartModel): Promise<void> {
  const onSlow = () => undefined;
  writeFileSync(
    path,
    await renderChart(model, {
      format: 'html',
      direction: 'down',
      theme: 'auto',
      active: [],
      onSlow,
    }),
  );
}

beforeAll(async () => {
  await write(lifecycle, extractChart(machines[0]));
  if (browser !== undefined) page = await openBrowser(browser);
});
afterAll(async () => {
  await page?.close();
  rmSync(directory, { recursive: true });
});

beforeEach(async (ctx) => {
  // A change of the fragment alone would not load the page anew.
  await opened(ctx).goto('about:blank');
  await opened(ctx).goto(pathToFileURL(lifecycle).href);
});

function opened(ctx: TestContext): Page {
  if (page === undefined) ctx.skip('Chromium is not installed');
  return page as Page;
}

const panelText = 'document.getElementById("panel").innerText';
const selected = 'document.querySelector(".selected")?.dataset.state ?? null';
const transform = 'document.querySelector("svg").style.transform';

function centreOf(state: string): string {
  return `(() => { const { x, y, width } = document.querySelector('[data-state="${state}"] .name').getBoundingClientRect(); return { x: x + width / 2, y: y + 4 }; })()`;
}

describe('the page', () => {
  test('shows what a clicked state does, its ioctls, its undo and its errors', async (ctx) => {
    const view = opened(ctx);
    await view.press('0');
    const { x, y } = await view.evaluate<{ x: number; y: number }>(
      centreOf('provisioning.initializingVcpus'),
    );
    await view.click(x, y);
    expect(await view.evaluate(selected)).toBe('provisioning.initializingVcpus');
    const text = await view.evaluate<string>(panelText);
    for (const part of [
      'KVM_TDX_INIT_VCPU',
      'give each vCPU its CPUID',
      'left to the kernel',
      'error(initializeVcpus) / keepError → terminating',
    ]) {
      expect(text).toContain(part);
    }
  });

  test('lights the way to the selected state, and dims the rest', async (ctx) => {
    const view = opened(ctx);
    await view.evaluate('location.hash = "#state=provisioning.readingLimits"');
    const onPath =
      '[...document.querySelectorAll("g[data-state].on-path")].map((one) => one.dataset.state)';
    expect(await view.evaluate(onPath)).toEqual([
      'absent',
      'provisioning',
      'provisioning.creatingVm',
      'provisioning.readingLimits',
    ]);
    const opacity = (state: string) =>
      view.evaluate(
        `getComputedStyle(document.querySelector('[data-state="${state}"] > .box')).opacity`,
      );
    expect(await opacity('provisioning.creatingVm')).toBe('1');
    expect(Number(await opacity('stuck'))).toBeLessThan(0.5);
  });

  test('finds a state by an ioctl, with the keyboard alone', async (ctx) => {
    const view = opened(ctx);
    await view.press('/');
    await view.type('finalize_vm');
    await view.press('Enter');
    expect(await view.evaluate(selected)).toBe('provisioning.finalizing');
    await view.press('Escape');
    expect(await view.evaluate(selected)).toBeNull();
    expect(await view.evaluate('location.hash')).toBe('');
  });

  test('tells states of one name apart, and lists what is in what', async (ctx) => {
    const view = opened(ctx);
    const links =
      '[...document.querySelectorAll("#panel a")].filter((link) => link.title.endsWith(".creatingVm")).map((link) => [link.innerText, parseInt(link.parentElement.style.paddingLeft)])';
    expect(await view.evaluate(links)).toEqual([
      ['creatingVm', 16],
      ['creatingVm', 16],
    ]);
    await view.press('/');
    await view.type('creatingVm');
    const results =
      '[...document.querySelectorAll("#results li")].map((item) => item.firstChild.textContent)';
    expect((await view.evaluate<string[]>(results)).slice(0, 2)).toEqual([
      'provisioning.creatingVm',
      'preparing.creatingVm',
    ]);
    await view.press('Escape');
  });

  test('goes from state to state with Tab, and selects with Enter', async (ctx) => {
    const view = opened(ctx);
    await view.evaluate('document.getElementById("view").focus()');
    await view.press('Tab');
    expect(await view.evaluate('document.activeElement.dataset.state')).toBe('absent');
    await view.press('Enter');
    expect(await view.evaluate(selected)).toBe('absent');
  });

  test('moves by dragging, which selects nothing, and zooms with the wheel and keys', async (ctx) => {
    const view = opened(ctx);
    const atFirst = await view.evaluate<string>(transform);
    const from = await view.evaluate<{ x: number; y: number }>(centreOf('absent'));
    await view.drag(from, { x: from.x + 80, y: from.y + 40 });
    const moved = await view.evaluate<string>(transform);
    expect(moved).not.toBe(atFirst);
    expect(await view.evaluate(selected)).toBeNull();
    await view.wheel(400, 400, -300);
    expect(await view.evaluate(transform)).not.toBe(moved);
    await view.press('1');
    expect(await view.evaluate(transform)).toBe(atFirst);
  });

  test('is readable at first sight, shows all of the chart on 0, and zooms to what is selected', async (ctx) => {
    const view = opened(ctx);
    const height = (state: string) =>
      `document.querySelector('[data-state="${state}"] .name').getBoundingClientRect().height`;
    expect(await view.evaluate<number>(height('absent'))).toBeGreaterThan(10);
    await view.press('0');
    expect(await view.evaluate<number>(height('absent'))).toBeLessThan(10);
    const all =
      '(() => { const chart = document.querySelector("#view > svg").getBoundingClientRect(); const view = document.getElementById("view").getBoundingClientRect(); return chart.top >= view.top && chart.bottom <= view.bottom; })()';
    expect(await view.evaluate(all)).toBe(true);
    const { x, y } = await view.evaluate<{ x: number; y: number }>(centreOf('stuck'));
    await view.click(x, y);
    expect(await view.evaluate(selected)).toBe('stuck');
    expect(await view.evaluate<number>(height('stuck'))).toBeGreaterThan(10);
    const inSight =
      '(() => { const { left, right, top, bottom } = document.querySelector(".selected").getBoundingClientRect(); const view = document.getElementById("view").getBoundingClientRect(); return left >= view.left && right <= view.right && top >= view.top && bottom <= view.bottom; })()';
    expect(await view.evaluate(inSight)).toBe(true);
  });

  test('says what its lines and tags mean', async (ctx) => {
    const text = await opened(ctx).evaluate<string>(panelText);
    for (const part of ['somebody sends this event', 'the TD is here and measured']) {
      expect(text).toContain(part);
    }
  });

  test('opens at the state that its address names, and survives an address that names none', async (ctx) => {
    const view = opened(ctx);
    await view.goto('about:blank');
    await view.goto(`${pathToFileURL(lifecycle).href}#state=terminating`);
    expect(await view.evaluate(selected)).toBe('terminating');
    // Large enough to be read.
    const zoom = 'new DOMMatrix(document.querySelector("svg").style.transform).a';
    expect(await view.evaluate<number>(zoom)).toBeGreaterThan(0.7);
    await view.evaluate('location.hash = "#state=%E0%A4%A"');
    expect(await view.evaluate(selected)).toBeNull();
  });

  test('loads nothing but itself, and has no error', async (ctx) => {
    const view = opened(ctx);
    const others = view.requests.filter((url) => !url.startsWith('file:') && url !== 'about:blank');
    expect(others).toEqual([]);
    expect(view.errors).toEqual([]);
    const png = await view.screenshot();
    expect(png.length).toBeGreaterThan(20_000);
  });

  test('shows names made to break it as plain text', async (ctx) => {
    const view = opened(ctx);
    const model = extractChart({
      id: 'made',
      version: 1,
      steps: [],
      machine: buildMachine(
        ...(fc.sample(fc.tuple(machineShapes, difficultNames), { numRuns: 1, seed: 7 })[0] as [
          never,
          never,
        ]),
      ),
    });
    const path = join(directory, 'difficult.html');
    await write(path, model);
    await view.goto(pathToFileURL(path).href);
    const states =
      '[...document.querySelectorAll("svg [data-state]")].map((one) => one.dataset.state)';
    expect(await view.evaluate<string[]>(states)).toHaveLength(
      await view.evaluate<number>('JSON.parse(document.getElementById("data").text).states.length'),
    );
    expect(await view.evaluate('document.scripts.length')).toBe(2);
    expect(view.errors).toEqual([]);
  });
});
