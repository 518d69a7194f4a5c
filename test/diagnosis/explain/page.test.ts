import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { messagesPage } from '../../../src/diagnosis/explain/messages/page.ts';

test('docs/messages.md is what the table says: else run `npm run docs`', () => {
  const page = join(import.meta.dirname, '../../../docs/messages.md');
  expect(readFileSync(page, 'utf8')).toBe(messagesPage());
});
