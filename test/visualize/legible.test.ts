/** Every picture and page can be read, light and dark, in a wide window and in a narrow one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { cli } from '../support/cli.ts';
import { type Running, startTdctl } from '../support/tdctl.ts';
import { findBrowser, openBrowser, type Page } from './support/browser.ts';
import { measure } from './support/legibility.ts';
import type { Wanted } from './support/measured.ts';

const browser = findBrowser();
const directory = mkdtempSync(join(tmpdir(), 'tdctl-legible-'));
const kernel = ['--kernel', 'rfc-migration-v2'];
let page: Page | undefined;
let watching: Running | undefined;

const file = (name: string) => join(directory, name);
const address = (name: string) => pathToFileURL(file(name)).href;

interface Case {
  readonly name: string;
  readonly url: () => string;
  /** Makes the page what is to be measured; it answers true when it is. */
  readonly ready?: string;
  readonly wanted: Wanted;
}

const drawer = {
  open: `(() => { document.querySelector('button.cell').click(); return true; })()`,
  // Behind the drawer the page goes on; it is measured without it.
  alone: `document.querySelector('main').dataset.unmeasured = ''`,
};
const chartMarks = ['.edge .line', '.state > .box'];

const cases: readonly Case[] = [
  {
    name: "the rehearsal's page",
    url: () => address('rehearsal.html'),
    wanted: { text: 11, marks: ['.step', '.cell', '.lines .border', 'path.slots'] },
  },
  {
    name: 'the page of a rehearsal that came to nothing',
    url: () => address('refused.html'),
    wanted: { text: 11, marks: ['.step.failed'] },
  },
  {
    name: 'the run of a fault',
    url: () => address('rehearsal.html'),
    ready: `(${drawer.alone}, ${drawer.open})`,
    wanted: { text: 11, marks: ['.call'] },
  },
  {
    name: "a chart's page",
    url: () => address('life.html'),
    wanted: { text: 10, marks: [...chartMarks, '.sample'] },
  },
  {
    name: "a chart's page with a state selected",
    url: () => `${address('move.html')}#state=irrevocable`,
    ready: `(document.querySelector('svg').classList.remove('tracing'), true)`,
    wanted: { text: 10, marks: [...chartMarks, 'path.border'] },
  },
  ...['life', 'move'].map((name) => ({
    name: `the picture ${name}.svg`,
    url: () => address(`${name}.svg`),
    wanted: { text: 10, marks: [...chartMarks, '.legend .line'], mayOverflow: true },
  })),
  {
    name: 'the live page',
    url: () => /http:\S+/.exec(watching?.output.stderr ?? '')?.[0] ?? '',
    ready: `document.getElementById('end').hidden === false`,
    wanted: { text: 9, marks: ['#slots polyline', '#slots-plot .border', ...chartMarks] },
  },
  ...['one', 'fleet'].map((name) => ({
    name: `the footprint chart of ${name}`,
    url: () => address(`${name}.svg`),
    wanted: { text: 10, marks: ['.line', '.mark'] },
  })),
];

const widths = [1400, 480] as const;
const themes = ['light', 'dark'] as const;

beforeAll(async () => {
  if (browser === undefined) return;
  watching = startTdctl(['watch', 'examples/hello.yaml', ...kernel, '--speed', 'max']);
  const faults = ['--faults', 'random', '--runs', '15', '--html', file('rehearsal.html')];
  await cli(['rehearse', 'examples/hello.yaml', ...kernel, ...faults]);
  const refused = ['--fault', 'KVM_CREATE_VCPU#7=ENOMEM', '--html', file('refused.html')];
  await cli(['rehearse', 'examples/hello.yaml', ...kernel, ...refused]);
  for (const [name, id] of Object.entries({ life: 'td-lifecycle', move: 'intra-host-migration' })) {
    for (const form of ['svg', 'html']) await cli(['graph', id, '-o', file(`${name}.${form}`)]);
  }
  const one = '--vcpus 4 --max-vcpus 8 --vms 400'.split(' ');
  await cli(['footprint', ...one, '--chart', file('one.svg')]);
  const fleet = ['--fleet', 'examples/fleets/mixed.yaml'];
  await cli(['footprint', ...fleet, '--chart', file('fleet.svg')]);
  page = await openBrowser(browser);
  await watching.waitForStderr('/\n');
});
afterAll(async () => {
  await page?.close();
  watching?.child.kill('SIGINT');
  await watching?.ended;
  rmSync(directory, { recursive: true });
});

function opened(ctx: TestContext): Page {
  if (page === undefined) ctx.skip('Chromium is not installed');
  return page as Page;
}

async function until(view: Page, ready: string): Promise<void> {
  for (let tries = 0; tries < 1200; tries++) {
    if (await view.evaluate<boolean>(ready)) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`the page never came to ${ready}`);
}

describe.each(cases)('$name', ({ url, ready, wanted }) => {
  test.for(widths)(
    '%d pixels wide: text is large and strong enough, on its own, and inside',
    async (width, ctx) => {
      const view = opened(ctx);
      await view.goto('about:blank');
      await view.show({ width, height: 2400, theme: 'light' });
      await view.goto(url());
      if (ready !== undefined) await until(view, ready);
      for (const theme of themes) {
        await view.show({ width, height: 2400, theme });
        const { texts, marks, faults } = await measure(view, wanted);
        expect(faults, theme).toEqual([]);
        expect(texts).toBeGreaterThan(10);
        for (const selector of wanted.marks) expect(marks[selector], selector).toBeGreaterThan(0);
      }
    },
  );
});

test('what cannot be read is found', async (ctx) => {
  const view = opened(ctx);
  const html = `<body style="margin:0;background:#fff;color:#222"><p style="font-size:7px">small</p><p style="color:#bbb">pale</p><div style="position:relative;height:40px"><b style="position:absolute;left:0">below</b><b style="position:absolute;left:4px">above</b></div><div style="width:3000px">wide</div><table><tr style="background:#333"><td>dark</td></tr></table><i class="mark" style="background:#eee">m</i></body>`;
  await view.goto(`data:text/html,${encodeURIComponent(html)}`);
  const { faults } = await measure(view, { text: 10, marks: ['.mark'] });
  expect(
    faults.map((fault) => fault.replace(/\d+(\.\d+)?/g, 'N').replace(/in rgb\(.*\)/, 'in C')),
  ).toEqual([
    '"small" has N px',
    '"pale" has a contrast of N',
    '"dark" has a contrast of N',
    '"below" and "above" overlap',
    '.mark in C has a contrast of N',
    'the page is N wide in a window of N',
  ]);
});
