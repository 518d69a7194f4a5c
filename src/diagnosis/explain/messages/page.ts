/** docs/messages.md: the table of messages for people to read, and the ids of all other answers. */
import { isCheckName } from '../../../abi/kvm/checks/index.ts';
import { allAnswers } from '../all-answers.ts';
import { allMessages, codeTables, messageAnswers } from './index.ts';
import type { Message } from './message.ts';

export function messagesPage(): string {
  const printers = [...new Set(allMessages.map(({ by }) => by))].sort();
  const sections = printers.flatMap((by) => {
    const own = allMessages.filter((message) => message.by === by && message.answer !== undefined);
    return own.length === 0 ? [] : [section(by, own)];
  });
  return `${[head, ...sections, ...codeSections(), otherAnswers()].join('\n\n')}\n`;
}

const head = `# Messages that \`tdctl explain\` knows

\`npm run docs\` writes this page. \`{name}\` stands for a value, \`^\` and \`$\` for the ends of a line that has nothing else in it; releases are those that print the message, as far as that is known. The weight of an answer is \`cause\`, \`effect\` (it follows from a cause), \`note\` (a warning, or how far things got) or \`healthy\`. Lines with a request and an errno, and status words, need no row: see [explain](explain.md).`;

function section(by: string, messages: readonly Message[]): string {
  const rows = messages.flatMap((message) => {
    const { says, answer, releases = '' } = message;
    if (answer === undefined) return [];
    const words = [says].flat().map(code).join('<br>');
    return [[words, releases, answer.rank ?? 'cause', answer.meaning, code(answer.id)]];
  });
  return `## ${by}\n\n${table(['message', 'releases', 'weight', 'means', 'id'], rows)}`;
}

/** A table that is printed in hex and in decimal is shown once. */
function codeSections(): readonly string[] {
  const byTitle = new Map(codeTables.toReversed().map((table) => [table.title, table]));
  return [...byTitle.values()].map(({ title, base, codes }) => {
    const rows = codes.map(({ code: number, names, answer }) => [
      code(base === 16 ? `0x${number.toString(16)}` : String(number)),
      names.map(code).join('<br>'),
      answer.rank ?? 'cause',
      answer.meaning,
      code(answer.id),
    ]);
    return `## ${title}\n\n${table(['code', 'name', 'weight', 'means', 'id'], rows)}`;
  });
}

/** Those that have a rule for their ids are left out: status codes, and checks of the kernel. */
function otherAnswers(): string {
  const ofMessages = new Set(messageAnswers.map(({ id }) => id));
  const rows = allAnswers()
    .filter(({ id }) => !ofMessages.has(id) && !/^(status|loader)\./.test(id) && !isCheckName(id))
    .map(({ id, meaning }) => [code(id), meaning]);
  return `## Requests, calls of the module and whole logs\n\n${table(['id', 'means'], rows)}`;
}

function table(names: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(names), `|${'---|'.repeat(names.length)}`, ...rows.map(line)].join('\n');
}

function code(text: string): string {
  return `\`${text}\``;
}
