import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TdctlError } from '../../src/errors/index.ts';
import { loadTrustDomain } from '../../src/spec/index.ts';

const directory = 'test/golden/spec';
const specs = readdirSync(directory).filter((name) => name.endsWith('.yaml'));

async function failureOf(path: string): Promise<TdctlError> {
  try {
    await loadTrustDomain(path);
  } catch (error) {
    if (error instanceof TdctlError) return error;
    throw error;
  }
  throw new Error(`${path} was meant to be refused`);
}

describe('what the loader says of wrong files', () => {
  it.each(specs)('%s', async (name) => {
    const error = await failureOf(`${directory}/${name}`);
    const text = [`${error.place}: ${error.message}`, ...error.details, `hint: ${error.hint}`, ''];
    await expect(text.join('\n')).toMatchFileSnapshot(
      `../golden/spec/${name.replace(/\.yaml$/, '.txt')}`,
    );
    expect(error.code).toBe('TDCTL_E_SPEC_INVALID');
    expect(error.exitCode).toBe(5);
  });

  it('lists ten different mistakes, each with line and column', async () => {
    const error = await failureOf(`${directory}/ten-mistakes.yaml`);
    const headlines = error.details.map((detail) => detail.split('\n')[0]);
    expect(headlines).toHaveLength(10);
    const places = headlines.map((line) => /^\S+\.yaml:(\d+:\d+): \S+: ./.exec(line ?? '')?.[1]);
    expect(places).toEqual([
      '1:13',
      '4:9',
      '7:13',
      '8:11',
      '9:3',
      '10:16',
      '11:20',
      '12:8',
      '13:9',
      '15:14',
    ]);
  });
});
