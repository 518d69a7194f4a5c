import { expect, test } from 'vitest';
import { ioctlNumbers, tdxCommands } from '../../src/abi/kvm/requests.ts';
import { requireAddon } from './support.ts';

test('the compiled request numbers are those of the one table in src/abi', (context) => {
  const addon = requireAddon(context);
  // The table has more: some requests only the simulated host knows. The golden file has the addon's.
  expect({ ...ioctlNumbers, ...tdxCommands }).toMatchObject(addon.testing.numbers());
});

test('the compiled numbers and sizes are those of Linux 7.3', async (context) => {
  const addon = requireAddon(context);
  const numbers = Object.entries(addon.testing.numbers()).map(
    ([name, number]) => `${name} 0x${number.toString(16).padStart(8, '0')}`,
  );
  const sizes = Object.entries(addon.testing.structSizes()).map(
    ([name, bytes]) => `struct ${name} ${bytes}`,
  );
  const table = `${[...numbers.sort(), ...sizes.sort()].join('\n')}\n`;
  await expect(table).toMatchFileSnapshot('../golden/native-uapi.txt');
});
