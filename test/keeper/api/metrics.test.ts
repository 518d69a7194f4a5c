/** A kept TD in numbers. */
import { expect, test } from 'vitest';
import { metricsText } from '../../../src/keeper/api/metrics.ts';
import type { KeptTd } from '../../../src/keeper/kept-td.ts';
import { keptForTest } from '../../support/kept-surface.ts';

const value = (text: string, sample: string) =>
  Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${sample} `))
      ?.slice(sample.length + 1),
  );

test('follow the life of a TD', async () => {
  const kept = await keptForTest();
  const read = async () => metricsText(await kept.td(), kept.metrics());
  const td = 'td="hello"';
  expect(value(await read(), `tdctl_td_state{${td},tdctl_td_state="runnable"}`)).toBe(1);
  expect(value(await read(), `tdctl_td_key_slots{${td}}`)).toBe(1);
  expect(await read()).not.toContain('teardown_seconds{');
  for (const verb of ['start', 'pause', 'resume', 'pause'] as const) {
    await kept.act(verb, { by: undefined });
  }
  kept.log.print(Buffer.from('hello'), 0);
  expect(value(await read(), `tdctl_td_pauses_total{${td}}`)).toBe(2);
  expect(value(await read(), `tdctl_td_paused_seconds_total{${td}}`)).toBeGreaterThan(0);
  expect(value(await read(), `tdctl_td_console_bytes_total{${td},direction="printed"}`)).toBe(5);
  expect(value(await read(), `tdctl_td_state{${td},tdctl_td_state="paused"}`)).toBe(1);
  kept.run.stop();
  await kept.run.ended;
  expect(value(await read(), `tdctl_td_key_slots{${td}}`)).toBe(0);
  expect(value(await read(), `tdctl_td_teardown_seconds{${td}}`)).toBeGreaterThan(0);
  await kept.end();
});

test('count what was refused, by request and check', async () => {
  const kept = await keptForTest({ faults: ['TDH.MNG.CREATE=TDX_OPERAND_BUSY'] });
  await kept.run.ended;
  const text = metricsText(await kept.td(), kept.metrics());
  expect(text).toMatch(/^tdctl_td_refusals_total\{td="hello",request="[^"]+",check="[^"]+"\} 1$/m);
  await kept.end();
});

test('tell the place of one that waits for a key slot, and its estimates where there are any', async () => {
  const kept = await keptForTest();
  const read = async (changes: Partial<KeptTd>) =>
    metricsText({ ...(await kept.td()), ...changes }, kept.metrics());
  const td = 'td="hello"';
  const waits = await read({
    state: 'queued',
    queue: { position: 2, of: 3, forecastMs: 6000 },
  });
  expect(value(waits, `tdctl_td_state{${td},tdctl_td_state="queued"}`)).toBe(1);
  expect(value(waits, `tdctl_td_queue_position{${td}}`)).toBe(2);
  expect(value(waits, `tdctl_td_queue_left_seconds{${td}}`)).toBe(6);
  const goesDown = await read({ state: 'releasing', leftMs: 1500 });
  expect(value(goesDown, `tdctl_td_teardown_left_seconds{${td}}`)).toBe(1.5);
  const neither = await read({ state: 'queued', queue: { position: 1, of: 1, forecastMs: null } });
  expect(neither).not.toMatch(/left_seconds\{/);
  expect(await read({})).not.toMatch(/(?:queue_position|left_seconds)\{/);
  await kept.end();
});

test('are OpenMetrics: a type before each family, nothing odd in a label, and an end', async () => {
  const kept = await keptForTest();
  const text = metricsText(
    { ...(await kept.td()), host: { name: 'a "b"\\c\nd', simulated: true } },
    kept.metrics(),
  );
  expect(text).toContain('host="a \\"b\\"\\\\c\\nd"');
  expect(text.endsWith('\n# EOF\n')).toBe(true);
  let family = '';
  for (const line of text.trimEnd().split('\n')) {
    if (line.startsWith('# TYPE ')) family = line.split(' ')[2] ?? '';
    else if (!line.startsWith('#')) {
      expect(line).toMatch(new RegExp(`^${family}(_total|_info)?\\{.*\\} [0-9.e+-]+$`));
    }
  }
  await kept.end();
});
