// @ts-check
/**
 * `npm run fuzz -- --count 3000000`: inputs that are nearly right, for everything that reads what others
 * wrote. A failure says how to make its input again.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    /** Over all targets together. */
    count: { type: 'string', default: '300000' },
    /** Equal seeds make equal inputs. */
    seed: { type: 'string', default: String(Date.now()) },
    /** One target by its name. */
    only: { type: 'string' },
    /** One input of that target by its number. */
    at: { type: 'string' },
  },
});

console.log(`seed ${values.seed}`);
const { status } = spawnSync('npx', ['vitest', 'run', 'test/fuzz'], {
  stdio: 'inherit',
  env: {
    ...process.env,
    TDCTL_FUZZ_COUNT: values.count,
    TDCTL_FUZZ_SEED: values.seed,
    ...(values.only === undefined ? {} : { TDCTL_FUZZ_ONLY: values.only }),
    ...(values.at === undefined ? {} : { TDCTL_FUZZ_AT: values.at }),
  },
});
process.exitCode = status ?? 1;
