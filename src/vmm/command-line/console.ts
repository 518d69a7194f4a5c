/** The serial port: the keeper's socket always, and what the file asks for besides. */
import type { Making } from './element.ts';
import { escaped } from './words.ts';

export function consoleWords({ engine, places, files }: Making): string[] {
  const { logPath, socketPath } = engine.console;
  const log = places.consoleLog === undefined ? undefined : files.set(places.consoleLog, 'append');
  const logWords = log === undefined ? '' : `,logfile=${log.path},logappend=on`;
  const members = [
    { words: [...(log?.words ?? []), ...socket('console0', places.console, logWords)] },
    ...(logPath === undefined ? [] : [{ words: file('console1', files.set(logPath, 'append')) }]),
    ...(socketPath === undefined ? [] : [{ words: socket('console2', socketPath) }]),
  ];
  const words = members.flatMap((member) => member.words);
  if (members.length === 1) return [...words, '-serial', 'chardev:console0'];
  // A hub gives all of them what the guest prints, and the guest what any of them types.
  const names = words.flatMap((word) => /,id=(console\d)/.exec(word)?.[1] ?? []);
  const hub = names.map((name, index) => `,chardevs.${index}=${name}`).join('');
  return [...words, '-chardev', `hub,id=console${hub}`, '-serial', 'chardev:console'];
}

function socket(id: string, path: string, more = ''): string[] {
  return ['-chardev', `socket,id=${id},path=${escaped(path)},server=on,wait=off${more}`];
}

function file(id: string, { words, path }: { words: string[]; path: string }): string[] {
  return [...words, '-chardev', `file,id=${id},path=${path},append=on`];
}
