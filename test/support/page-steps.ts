/** Pages whose commands are run: a block of `sh`, and what it prints in the block that follows, up to `exit code N`. */

export interface PageStep {
  /** The heading (`##`) that it stands below. */
  readonly heading: string;
  readonly command: string;
  readonly shown: readonly string[];
  readonly exitCode: number;
}

export const pageBlocks = (page: string) => [
  ...page.matchAll(/^## ([^\n]*)$|^```(\w*)\n(.*?)^```$/gms),
];

export function pageSteps(page: string): readonly PageStep[] {
  let heading = '';
  let command = '';
  return pageBlocks(page).flatMap(([, title, language, text = '']): PageStep[] => {
    if (title !== undefined) heading = title;
    else if (language === 'sh') command = text.trim();
    else if (language === '') {
      const lines = text.trimEnd().split('\n');
      const exitCode = Number(/^exit code (\d+)$/.exec(lines.pop() ?? '')?.[1]);
      return [{ heading, command, shown: lines, exitCode }];
    }
    return [];
  });
}

/** `…` alone in a line stands for any lines, and in a line for any text. */
export function shownPattern(shown: readonly string[]): RegExp {
  const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const lines = shown.map((line) =>
    line.trim() === '…' ? '(?:.*\\n)*?' : `${line.split('…').map(escaped).join('.*')}\\n`,
  );
  return new RegExp(`^${lines.join('')}$`);
}
