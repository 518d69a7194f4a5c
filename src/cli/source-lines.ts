import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * Gives a stack the places in our sources, where source maps are beside the built files; the package has
 * none. `process.setSourceMapsEnabled` would do the same, but reads every map at the start.
 */
export function withSourceLines(stack: string): string {
  return stack.replace(/(?<=at .*)(\/.+?\.js):(\d+):(\d+)/g, (built, file, line, column) => {
    try {
      const map = new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')));
      // Lines and columns are counted from 1 in a stack, and from 0 in a map.
      const entry = map.findEntry(line - 1, column - 1);
      if (!('originalSource' in entry)) return built;
      const source = fileURLToPath(new URL(entry.originalSource, pathToFileURL(file)));
      return `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
    } catch {
      return built;
    }
  });
}
