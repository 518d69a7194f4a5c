/** `tdctl import`: an existing definition as a TrustDomain file. */
import { basename } from 'node:path';
import { pathInWords } from '../../documents/path-in-words.ts';
import { shellWord } from '../../documents/shell-word.ts';
import { readTextFile } from '../../documents/text-file.ts';
import { type ExitCode, exitCodes } from '../../errors/index.ts';
import { writeWholeFile } from '../../files/index.ts';
import { type Imported, importText, importWords } from '../../vmm/import/index.ts';
import type { CommandIo } from '../io.ts';
import type { OutputFormat } from '../options.ts';
import { printData } from '../output/data.ts';
import { say } from '../output/print.ts';
import { sanitize } from '../output/sanitize.ts';
import { count } from '../output/units.ts';

interface ImportRequest {
  readonly definition: readonly string[];
  readonly name?: string | undefined;
  readonly save?: string | undefined;
  readonly force?: true | undefined;
  readonly output: OutputFormat;
}

/** Nobody reads more of them on a terminal. */
const mostListed = 100;

export async function runImport(request: ImportRequest, io: CommandIo): Promise<ExitCode> {
  const { save, output, force } = request;
  const imported = await importedFrom(request);
  const { yaml, name, notTaken } = imported;
  if (save !== undefined) {
    const existing = force === true ? 'replace' : 'refuse';
    await writeWholeFile({ path: save, what: 'TrustDomain file', existing }, yaml);
  }
  if (save === undefined || output !== 'text') {
    const content = { td: name, trustDomain: yaml, notTaken };
    await printData('tdctl.Import', content, { io, format: output, text: () => yaml });
  }
  tell(imported, { save, io });
  return notTaken.length === 0 ? exitCodes.ok : exitCodes.findings;
}

async function importedFrom({ definition, name }: ImportRequest): Promise<Imported> {
  const [file = '', ...others] = definition;
  const directory = process.cwd();
  // A program by itself is no definition, so one word names a file.
  if (others.length > 0) {
    return importWords(definition, { place: basename(file), directory, name });
  }
  const text = await readTextFile(file, {
    kind: 'definition',
    starter: () => 'libvirt writes one: `virsh dumpxml --inactive NAME`',
  });
  return importText(text, { place: pathInWords(file), directory, name });
}

function tell(
  { notTaken }: Imported,
  { save, io }: { readonly save: string | undefined; readonly io: CommandIo },
): void {
  if (save !== undefined) say(io, `wrote ${sanitize(save)}`);
  if (notTaken.length > 0) {
    say(io, `${count(notTaken.length, 'thing')} could not be taken over as they are:`);
    for (const { place, what, why } of notTaken.slice(0, mostListed)) {
      io.stderr.write(`  ${sanitize(`${place}: ${what}: ${why}`)}\n`);
    }
    const more = notTaken.length - mostListed;
    if (more > 0) io.stderr.write(`  and ${more} more, which -o json has\n`);
  }
  if (save !== undefined) say(io, `next: tdctl plan ${shellWord(sanitize(save))}`);
}
