// @ts-check
/** A program in the comment at the end of the file that loads it. The build, which uses it too, takes no TypeScript. */

const begins = '\n/* program ';
const end = '*/';
/** What would end the comment, as it stands in it. */
const masked = '*~/';

/**
 * @param {string} loader
 * @param {{ readonly text: string, readonly build: string }} program
 * @throws where the program has what tells these parts apart.
 */
export function withProgramBehind(loader, { text, build }) {
  for (const own of [begins, masked]) {
    if (text.includes(own)) throw new Error(`the program has ${own} in it`);
  }
  return `${loader}${begins}${build}\n${text.replaceAll(end, masked)}\n${end}\n`;
}

/** @param {string} file */
export function programBehind(file) {
  const at = file.lastIndexOf(begins) + begins.length;
  const line = file.indexOf('\n', at);
  const text = file.slice(line + 1, file.lastIndexOf(`\n${end}`)).replaceAll(masked, end);
  return { build: file.slice(at, line), text, lineOffset: file.slice(0, line).split('\n').length };
}
