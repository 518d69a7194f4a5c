/** The directory of kept TDs is one that nobody else could have put things into. */
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openStateDirectory, stateDirectoryPath } from '../../src/keeper/state-directory.ts';
import { asNobody, freshPath, requireRoot, stateAt } from './support.ts';

const refusal = { code: 'TDCTL_E_STATE_DIRECTORY' };

test('it is where the environment says, else where the system keeps what ends with the boot', async () => {
  expect(stateDirectoryPath({ TDCTL_STATE_DIR: '/a/b', XDG_RUNTIME_DIR: '/run/user/7' })).toBe(
    '/a/b',
  );
});

test('root has it in /run', (context) => {
  requireRoot(context);
  expect(stateDirectoryPath({ XDG_RUNTIME_DIR: '/run/user/7' })).toBe('/run/tdctl');
});

test('a user has it below XDG_RUNTIME_DIR, or in /tmp under the own number', async (context) => {
  requireRoot(context);
  const paths = await asNobody(async () =>
    [{ XDG_RUNTIME_DIR: '/run/user/7' }, { XDG_RUNTIME_DIR: 'not/absolute' }, {}].map(
      stateDirectoryPath,
    ),
  );
  expect(paths).toEqual(['/run/user/7/tdctl', '/tmp/tdctl-65534', '/tmp/tdctl-65534']);
});

test('it is made for its owner alone', async (context) => {
  const path = freshPath(context);
  const state = await stateAt(path);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  expect(statSync(state.tdsPath).mode & 0o777).toBe(0o700);
  expect(state.tdPath('web')).toBe(join(path, 'td/web'));
});

test('whoever only looks makes nothing', async (context) => {
  const path = freshPath(context);
  await openStateDirectory({ TDCTL_STATE_DIR: path }, { create: false });
  expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
});

test('a symbolic link in its place is refused, wherever it leads', async (context) => {
  const path = freshPath(context);
  const there = mkdtempSync(join(tmpdir(), 'tdk-there-'));
  context.onTestFinished(() => rmSync(there, { recursive: true }));
  for (const target of [there, '/nowhere/at/all']) {
    symlinkSync(target, path);
    await expect(stateAt(path)).rejects.toMatchObject({ ...refusal, place: path });
    rmSync(path);
  }
});

test('so is a link in the place of the directory of its TDs', async (context) => {
  const path = freshPath(context);
  mkdirSync(path, { mode: 0o700 });
  symlinkSync('/tmp', join(path, 'td'));
  await expect(stateAt(path)).rejects.toMatchObject(refusal);
});

test('a file in its place is refused, and stays', async (context) => {
  const path = freshPath(context);
  writeFileSync(path, 'precious');
  await expect(stateAt(path)).rejects.toMatchObject({
    ...refusal,
    message: 'this is no directory',
  });
});

test('a directory that others may write to is refused', async (context) => {
  const path = freshPath(context);
  for (const mode of [0o777, 0o1777, 0o720]) {
    mkdirSync(path);
    chmodSync(path, mode);
    await expect(stateAt(path)).rejects.toMatchObject(refusal);
    rmSync(path, { recursive: true });
  }
});

test("another user's directory is refused, and told whose it is", async (context) => {
  requireRoot(context);
  const path = freshPath(context);
  chmodSync(join(path, '..'), 0o777);
  mkdirSync(path, { mode: 0o755 });
  chownSync(path, 1234, 1234);
  await asNobody(async () => {
    await expect(stateAt(path)).rejects.toMatchObject({
      ...refusal,
      message: 'this directory belongs to user 1234, and you are user 65534',
    });
  });
  // Root may look.
  expect((await stateAt(path)).path).toBe(path);
});

test('where it may not be made is told with the reason', async (context) => {
  requireRoot(context);
  const path = freshPath(context);
  chmodSync(join(path, '..'), 0o755);
  await asNobody(async () => {
    await expect(stateAt(path)).rejects.toMatchObject({
      ...refusal,
      message: 'the directory cannot be made: this user may not go there',
    });
  });
});
