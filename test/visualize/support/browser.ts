/**
 * A headless Chromium, driven by the DevTools protocol over a pipe: no port, no network, an empty
 * profile of its own. https://chromedevtools.github.io/devtools-protocol/
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { findProgram } from './programs.ts';

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--remote-debugging-pipe',
  '--window-size=1400,900',
];

export function findBrowser(): string | undefined {
  return findProgram('chromium') ?? findProgram('chromium-browser') ?? findProgram('google-chrome');
}

export interface Page {
  goto(url: string): Promise<void>;
  /** Makes the window so large, and sets the reader's preference. */
  show(window: { width: number; height: number; theme: 'light' | 'dark' }): Promise<void>;
  /** The value of an expression in the page; it must survive JSON. */
  evaluate<T>(expression: string): Promise<T>;
  click(x: number, y: number): Promise<void>;
  drag(from: { x: number; y: number }, to: { x: number; y: number }): Promise<void>;
  wheel(x: number, y: number, deltaY: number): Promise<void>;
  press(key: string): Promise<void>;
  type(text: string): Promise<void>;
  screenshot(): Promise<Buffer>;
  /** What the page logged as an error, a refused policy included. */
  readonly errors: string[];
  /** Every address that was asked for. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

type Params = Record<string, unknown>;
interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Params;
  readonly result?: Params;
  readonly error?: { readonly message: string };
}

export async function openBrowser(program: string): Promise<Page> {
  const profile = mkdtempSync(join(tmpdir(), 'tdctl-browser-'));
  const child = spawn(program, [...flags, `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  });
  const pipe = openPipe(child);
  const { targetInfos } = (await pipe.send('Target.getTargets')) as {
    targetInfos: { type: string; targetId: string }[];
  };
  const targetId = targetInfos.find(({ type }) => type === 'page')?.targetId;
  const { sessionId } = (await pipe.send('Target.attachToTarget', { targetId, flatten: true })) as {
    sessionId: string;
  };
  const send = (method: string, params: Params = {}) => pipe.send(method, params, sessionId);

  const errors: string[] = [];
  const requests: string[] = [];
  pipe.on('Runtime.exceptionThrown', (params) => errors.push(JSON.stringify(params)));
  pipe.on('Log.entryAdded', (params) => errors.push(JSON.stringify(params)));
  pipe.on('Network.requestWillBeSent', (params) =>
    requests.push((params.request as { url: string }).url),
  );
  for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await send(`${domain}.enable`);

  const mouse = (type: string, at: { x: number; y: number }, more: Params = {}) =>
    send('Input.dispatchMouseEvent', { type, ...at, button: 'left', clickCount: 1, ...more });

  return {
    errors,
    requests,
    async goto(url) {
      const loaded = pipe.once('Page.loadEventFired');
      await send('Page.navigate', { url });
      await loaded;
    },
    async show({ width, height, theme }) {
      const metrics = { width, height, deviceScaleFactor: 1, mobile: false };
      await send('Emulation.setDeviceMetricsOverride', metrics);
      const features = [{ name: 'prefers-color-scheme', value: theme }];
      await send('Emulation.setEmulatedMedia', { features });
    },
    async evaluate<T>(expression: string) {
      const { result, exceptionDetails } = (await send('Runtime.evaluate', {
        expression,
        returnByValue: true,
        awaitPromise: true,
      })) as { result: { value: T }; exceptionDetails?: unknown };
      if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
      return result.value;
    },
    async click(x, y) {
      await mouse('mousePressed', { x, y });
      await mouse('mouseReleased', { x, y });
    },
    async drag(from, to) {
      await mouse('mousePressed', from);
      await mouse('mouseMoved', to, { buttons: 1 });
      await mouse('mouseReleased', to);
    },
    async wheel(x, y, deltaY) {
      await send('Input.dispatchMouseEvent', { type: 'mouseWheel', x, y, deltaX: 0, deltaY });
    },
    async press(key) {
      const text = key === 'Enter' ? '\r' : key.length === 1 ? key : undefined;
      const code =
        { Enter: 13, Escape: 27, Tab: 9, ArrowDown: 40 }[key] ?? key.toUpperCase().charCodeAt(0);
      const keyEvent = {
        key,
        windowsVirtualKeyCode: code,
        ...(text === undefined ? {} : { text }),
      };
      await send('Input.dispatchKeyEvent', { type: 'keyDown', ...keyEvent });
      await send('Input.dispatchKeyEvent', { type: 'keyUp', ...keyEvent });
    },
    async type(text) {
      await send('Input.insertText', { text });
    },
    async screenshot() {
      const { data } = (await send('Page.captureScreenshot')) as { data: string };
      return Buffer.from(data, 'base64');
    },
    async close() {
      const ended = new Promise((resolve) => child.once('close', resolve));
      await pipe.send('Browser.close');
      await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

/** Messages are JSON, ended by a zero byte. */
function openPipe(child: ChildProcess) {
  const [, , , toBrowser, fromBrowser] = child.stdio as unknown as [
    null,
    null,
    null,
    Writable,
    Readable,
  ];
  const waiting = new Map<
    number,
    { resolve: (result: Params) => void; reject: (error: Error) => void }
  >();
  const listeners = new Map<string, Set<(params: Params) => void>>();
  let lastId = 0;
  let rest = '';

  const fail = (error: Error) => {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  child.on('error', fail);
  child.on('close', () => fail(new Error('the browser has ended')));
  toBrowser.on('error', () => undefined);
  fromBrowser.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\0');
    rest = parts.pop() ?? '';
    for (const part of parts) receive(JSON.parse(part));
  });

  function receive({ id, method, params = {}, result = {}, error }: Message): void {
    if (method !== undefined) for (const listener of listeners.get(method) ?? []) listener(params);
    const caller = id === undefined ? undefined : waiting.get(id);
    if (id === undefined || caller === undefined) return;
    waiting.delete(id);
    if (error === undefined) caller.resolve(result);
    else caller.reject(new Error(error.message));
  }

  const on = (method: string, listener: (params: Params) => void) => {
    listeners.set(method, (listeners.get(method) ?? new Set()).add(listener));
  };
  return {
    on,
    once: (method: string) =>
      new Promise<Params>((resolve) => {
        on(method, resolve);
      }),
    send: (method: string, params: Params = {}, sessionId?: string) =>
      new Promise<Params>((resolve, reject) => {
        lastId += 1;
        waiting.set(lastId, { resolve, reject });
        const session = sessionId === undefined ? {} : { sessionId };
        toBrowser.write(`${JSON.stringify({ id: lastId, method, params, ...session })}\0`);
      }),
  };
}
