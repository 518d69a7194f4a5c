/** A chart can take these forms. */
export const chartFormats = [
  'svg',
  'html',
  'png',
  'mermaid',
  'dot',
  'scxml',
  'xstate',
  'plantuml',
  'tree',
] as const;
export type ChartFormat = (typeof chartFormats)[number];

/** The ending of a file's name decides its form. */
export const formatByExtension: Readonly<Record<string, ChartFormat>> = {
  '.svg': 'svg',
  '.html': 'html',
  '.htm': 'html',
  '.png': 'png',
  '.mmd': 'mermaid',
  '.mermaid': 'mermaid',
  '.dot': 'dot',
  '.gv': 'dot',
  '.scxml': 'scxml',
  '.xml': 'scxml',
  '.json': 'xstate',
  '.puml': 'plantuml',
  '.plantuml': 'plantuml',
  '.txt': 'tree',
};
