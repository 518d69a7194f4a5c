/** The live page in a real browser, of a real `tdctl watch`. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { startWatchServer, type WatchMessage, watchFeed } from '../../src/watch/index.ts';
import { watchPage } from '../../src/watch/page/page.ts';
import { type Running, startTdctl } from '../support/tdctl.ts';
import { findBrowser, openBrowser, type Page } from '../visualize/support/browser.ts';

const browser = findBrowser();
let page: Page | undefined;
const running: Running[] = [];

beforeAll(async () => {
  if (browser !== undefined) page = await openBrowser(browser);
});
afterEach(async () => {
  await page?.goto('about:blank');
  for (const { child, ended } of running.splice(0)) {
    child.kill('SIGINT');
    await ended;
  }
});
afterAll(() => page?.close());

function opened(ctx: TestContext): Page {
  if (page === undefined) ctx.skip('Chromium is not installed');
  return page as Page;
}

async function watch(...args: readonly string[]): Promise<string> {
  const kernel = ['--kernel', 'rfc-migration-v2'];
  const started = startTdctl(['watch', 'examples/hello.yaml', ...kernel, ...args]);
  running.push(started);
  await started.waitForStderr('/\n');
  return /http:\S+/.exec(started.output.stderr)?.[0] ?? '';
}

/** The third vCPU of the destination cannot be made: the move is rolled back. */
const fault = ['--fault', 'KVM_CREATE_VCPU#7=ENOMEM'];

const text = (selector: string) =>
  `document.querySelector(${JSON.stringify(selector)})?.innerText ?? ''`;
const lanes = '[...document.querySelectorAll(".card")].map((card) => card.dataset.lane)';
const lit = (lane: string) =>
  `[...document.querySelectorAll('.card[data-lane="${lane}"] .state.active')].map((box) => box.dataset.state)`;
const logRows = '[...document.querySelectorAll("#log li")].map((row) => row.textContent)';

async function until<T>(view: Page, expression: string, holds: (value: T) => boolean): Promise<T> {
  for (let tries = 0; tries < 1200; tries++) {
    const value = await view.evaluate<T>(expression);
    if (holds(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`${expression} stays ${JSON.stringify(await view.evaluate(expression))}`);
}

async function press(view: Page, selector: string): Promise<void> {
  const { x, y } = await view.evaluate<{ x: number; y: number }>(
    `(() => { const { x, y, width, height } = document.querySelector('${selector}').getBoundingClientRect(); return { x: x + width / 2, y: y + height / 2 }; })()`,
  );
  await view.click(x, y);
}

const isOver = 'document.getElementById("end").hidden === false';
const yes = (value: boolean) => value;

describe('the live page', () => {
  test('a paused run stands still; each step lights the next state', async (ctx) => {
    const view = opened(ctx);
    await view.goto(await watch('--paused'));
    await until<string[]>(view, lit('hello'), (states) => states.length === 2);
    expect(await view.evaluate(lit('hello'))).toEqual(['provisioning', 'provisioning.creatingVm']);
    expect(await view.evaluate(text('#hold'))).toBe('Resume');
    await press(view, '#step');
    await until<string>(view, text('.now'), (now) => now === 'provisioning.readingLimits');
    await view.press('s');
    await until<string>(view, text('.now'), (now) => now === 'provisioning.cappingVcpus');
    expect(await view.evaluate<string>(text('.does'))).toContain('vCPU');
    expect(await view.evaluate<string>(text('#steps'))).toContain('KVM_CREATE_VM');
  });

  test('a migration with a fault: both VMs, the chart of the move, the error, the verdict', async (ctx) => {
    const view = opened(ctx);
    await view.goto(await watch('--paused', ...fault));
    await until<string>(view, text('#hold'), (now) => now === 'Resume');
    await view.evaluate(
      `(() => { const speed = document.getElementById('speed'); speed.value = 'max'; speed.dispatchEvent(new Event('change')); })()`,
    );
    await press(view, '#hold');
    await until(view, isOver, yes);
    expect(await view.evaluate(lanes)).toEqual(['hello', 'hello move 1', 'hello→2']);
    expect(await view.evaluate(lit('hello'))).toEqual(['destroyed']);
    expect(await view.evaluate(lit('hello move 1'))).toEqual(['sourceKept']);
    expect(await view.evaluate(lit('hello→2'))).toEqual(['failed']);
    const failed = `[...document.querySelectorAll('.card[data-lane="hello→2"] .failed')].map((box) => box.dataset.state)`;
    expect(await view.evaluate(failed)).toEqual(['preparing.creatingVcpus']);
    expect(await view.evaluate<string>(text('tr.failed'))).toContain('KVM_CREATE_VCPU → ENOMEM');
    expect(await view.evaluate<string>(text('#slots-now'))).toBe('0 in use, 1 at the peak, of 63');
    expect(await view.evaluate<string>(text('.ends'))).toBe('1\n0');
    expect(await view.evaluate<string>(text('#link'))).toBe('failed, exit code 1');
    for (const control of ['hold', 'step', 'speed']) {
      expect(await view.evaluate(`document.getElementById("${control}").disabled`)).toBe(true);
    }
    expect(view.errors).toEqual([]);
  });

  test('what is seen is seen: the active states are painted in all three charts', async (ctx) => {
    const view = opened(ctx);
    await view.goto(await watch('--speed', 'max', ...fault));
    await until(view, isOver, yes);
    const png = (await view.screenshot()).toString('base64');
    await view.goto('about:blank');
    // The picture's own pixels, a third of its width for each card: how many have the active colour.
    const painted = await view.evaluate<number[]>(`(async () => {
      const image = new Image();
      image.src = 'data:image/png;base64,${png}';
      await image.decode();
      const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height });
      const context = canvas.getContext('2d', { willReadFrequently: true });
      context.drawImage(image, 0, 0);
      return [0, 1, 2].map((third) => {
        const { data } = context.getImageData(third * image.width / 3, 140, image.width / 3, 330);
        let count = 0;
        for (let at = 0; at < data.length; at += 4) {
          const [red, green, blue] = [data[at], data[at + 1], data[at + 2]];
          if (green - red > 60 && green - blue > 20) count += 1;
        }
        return count;
      });
    })()`);
    for (const count of painted) expect(count).toBeGreaterThan(100);
  });

  test('a chart is shown whole or close up, and a chosen move stays', async (ctx) => {
    const view = opened(ctx);
    await view.goto(await watch('--speed', 'max', '--hops', '3'));
    await until(view, isOver, yes);
    expect(await view.evaluate(lanes)).toEqual(['hello→3', 'hello move 3', 'hello→4']);
    await view.evaluate(
      `(() => { const which = document.getElementById('which'); which.value = '["hello",1]'; which.dispatchEvent(new Event('change')); })()`,
    );
    expect(await view.evaluate(lanes)).toEqual(['hello', 'hello move 1', 'hello→2']);
    // The last state stands at the end of its picture, and nothing beyond that is shown.
    const beyond =
      '(() => { const { y, height } = document.querySelector(".card svg").viewBox.baseVal; const whole = document.querySelector(`template[data-machine="td-lifecycle"]`).content.firstElementChild.height.baseVal.value; return y + height - whole; })()';
    expect(await view.evaluate<number>(beyond)).toBeLessThan(1);
    const box = 'document.querySelector(".card svg").viewBox.baseVal.height';
    const close = await view.evaluate<number>(box);
    await press(view, '.card button');
    expect(await view.evaluate<number>(box)).toBeGreaterThan(2 * close);
    // The run before the teardown is a hundredth of the time, and most of the picture.
    const points = 'document.querySelector("#slots polyline").getAttribute("points").split(" ")';
    const rise = await view.evaluate<number>(`${points}.map(parseFloat)[2]`);
    const borders = '[...document.querySelectorAll("#slots-plot .border")]';
    expect(rise).toBeGreaterThan(40);
    const shares = await view.evaluate<number[]>(
      `${borders}.map(({ style }) => parseFloat(style.left))`,
    );
    expect(shares).toHaveLength(3);
    expect(shares).toEqual(shares.toSorted((one, other) => one - other));
    expect(shares.at(-1)).toBeGreaterThan(50);
  });

  test('events are filtered, also those that come later', async (ctx) => {
    const view = opened(ctx);
    await view.goto(await watch('--paused'));
    await until<string[]>(view, logRows, (rows) => rows.length > 0);
    await view.press('/');
    await view.type('readingLimits');
    await view.evaluate('document.activeElement.blur()');
    await view.press('s');
    await view.press('s');
    const visible =
      '[...document.querySelectorAll("#log li:not([hidden])")].map((row) => row.textContent)';
    const rows = await until<string[]>(view, visible, (found) => found.length > 1);
    for (const row of rows) expect(row).toContain('readingLimits');
  });

  test('a burst of events is taken whole, and the page stays small', async (ctx) => {
    const view = opened(ctx);
    const feed = watchFeed();
    const facts = { name: 'web', host: 'sim', kernel: 'upstream-7.3', totalSlots: 63 };
    const page = await watchPage({ ...facts, canHold: false });
    const server = await startWatchServer({ address: { port: 0 }, feed, pacer: undefined, page });
    await view.goto(server.url ?? '');
    for (let at = 1; at <= 5000; at++) feed.publish(progress(at));
    const rows = await until<string[]>(
      view,
      logRows,
      (all) => all.at(-1)?.includes('5000/') === true,
    );
    expect(rows).toHaveLength(1000);
    expect(rows[0]).toContain('4001/');
    feed.publish({ kind: 'end', exitCode: 6, text: 'It is not as it should be.' });
    await until(view, isOver, yes);
    expect(await view.evaluate<string>(text('#link'))).toBe('failed, exit code 6');
    expect(view.errors).toEqual([]);
    await view.goto('about:blank');
    await server.close();
  });

  test('nothing but the page and its stream is asked for, and the policy is kept', async (ctx) => {
    const view = opened(ctx);
    const url = await watch('--speed', 'max');
    const before = view.requests.length;
    await view.goto(url);
    await until(view, isOver, yes);
    const asked = view.requests.slice(before).map((each) => each.replace(url, ''));
    expect(new Set(asked)).toEqual(new Set(['', 'events']));
    expect(view.errors).toEqual([]);
  });

  test('after a cut the page comes back and misses nothing, and has nothing twice', async (ctx) => {
    const view = opened(ctx);
    const url = new URL(await watch('--paused', ...fault));
    const tunnel = await openTunnel(Number(url.port));
    await view.goto(`http://localhost:${tunnel.port}${url.pathname}`);
    await until<string[]>(view, logRows, (rows) => rows.length > 0);
    await tunnel.cut();
    await until<string>(view, text('#link'), (now) => now === 'reconnecting');
    const ask = (what: object) =>
      fetch(`${url.href}control`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(what),
      });
    await ask({ do: 'speed', stepsPerSecond: null });
    await ask({ do: 'resume' });
    await tunnel.mend();
    await until(view, isOver, yes);
    const afterCut = await view.evaluate<string[]>(logRows);
    await tunnel.cut();
    await view.goto(url.href);
    await until(view, isOver, yes);
    expect(afterCut).toEqual(await view.evaluate<string[]>(logRows));
    view.errors.splice(0);
  });
});

function progress(done: number): WatchMessage {
  const state = 'provisioning.addingMemory';
  const header = { td: 'web', machine: 'td-lifecycle', machineVersion: 2, state } as const;
  const step = { event: 'step.progress', step: 'addingMemory', done, total: 5000 } as const;
  const event = { ...header, ...step, elapsedMs: done, unit: 'pages' };
  return { kind: 'event', lane: 'web', atMs: done, usedSlots: 1, event };
}

/** A tunnel that can be cut, as one of ssh would be. */
async function openTunnel(target: number) {
  const sockets = new Set<Socket>();
  let server: Server;
  const open = (port: number) =>
    new Promise<number>((resolve) => {
      server = createServer((near) => {
        const far = connect(target, '127.0.0.1');
        for (const socket of [near, far]) {
          sockets.add(socket);
          socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
        }
        near.pipe(far).pipe(near);
      });
      server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    });
  const port = await open(0);
  return {
    port,
    cut: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
    mend: () => open(port),
  };
}
