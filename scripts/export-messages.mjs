#!/usr/bin/env node
// Writes docs/messages.md from the table of messages. Run `npm run build` first.
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const built = new URL('../build/modules/src/diagnosis/explain/messages/page.js', import.meta.url);
const { messagesPage } = await import(built.href);

const target = new URL('../docs/messages.md', import.meta.url);
await writeFile(target, messagesPage());
console.error(`wrote ${fileURLToPath(target)}`);
