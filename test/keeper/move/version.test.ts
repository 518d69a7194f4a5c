/** Two keepers of different versions of tdctl agree on what they say to each other, or nothing is begun. */
import { afterAll, describe, expect, test } from 'vitest';
import { connectTd } from '../../../src/keeper/client.ts';
import { ownKeeperProgram } from '../../../src/keeper/launch.ts';
import { moveRange } from '../../../src/keeper/move/protocol.ts';
import { askProgram } from '../../../src/keeper/move/speaks.ts';
import { commonMoveVersion } from '../../../src/keeper/move/version.ts';
import { openStateDirectory } from '../../../src/keeper/state-directory.ts';
import { builtMain } from '../../support/built.ts';
import { cli } from '../../support/cli.ts';
import { launch } from '../keepers.ts';
import { moving, seen } from './movers.ts';

afterAll(() => cli(['kill', '--all', '--wait']));

const keeper = { name: 'web', tdctl: '0.7.0' };
const range = (oldest: number, newest: number) => ({ oldest, newest });

describe('the highest version that both speak', () => {
  test.each([
    [range(1, 1), range(1, 1), 1],
    [range(1, 3), range(2, 4), 3],
    [range(2, 4), range(1, 2), 2],
  ])('of %o and %o', (move, next, version) => {
    expect(commonMoveVersion({ ...keeper, move }, next)).toBe(version);
  });

  test.each([
    [
      'the keeper is too old',
      range(1, 2),
      range(3, 4),
      /versions 1 to 2 .* versions 3 to 4/,
      /between/,
    ],
    [
      'the keeper is too new',
      range(3, 4),
      range(1, 2),
      /versions 3 to 4 .* versions 1 to 2/,
      /newer/,
    ],
    ['the keeper is from before', undefined, range(1, 2), /hands over no TD/, /between/],
  ])('is none where %s', (_, move, next, message, hint) => {
    expect(() => commonMoveVersion({ ...keeper, move }, next)).toThrowError(
      expect.objectContaining({
        ...{ code: 'TDCTL_E_API_VERSION', exitCode: 8 },
        message: expect.stringMatching(message),
        hint: expect.stringMatching(hint),
      }),
    );
  });
});

test('a keeper refuses a version that it does not speak, and its TD runs on', async () => {
  const pid = await launch(moving('firm'));
  const state = await openStateDirectory(process.env, { create: true });
  const client = await connectTd(state, 'firm');
  expect(client.greeting.move).toEqual(moveRange);
  await expect(client.move(moveRange.newest + 1)).rejects.toMatchObject({
    ...{ code: 'TDCTL_E_API_VERSION', exitCode: 8 },
    message: expect.stringContaining('the TD stays where it is'),
  });
  client.close();
  expect(await seen('firm')).toMatchObject({ state: 'running', keeper: { pid } });
});

test('the program of a keeper says what it speaks, and does nothing else', async () => {
  builtMain();
  expect(await askProgram(ownKeeperProgram())).toMatchObject({ move: moveRange });
});
