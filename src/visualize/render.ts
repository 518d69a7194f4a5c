/** Renders a chart in any of its text forms, and loads only what that form needs. */
import type { ChartModel } from './chart-model.ts';
import type { ChartFormat } from './formats.ts';
import type { Direction } from './layout/direction.ts';
import type { Theme } from './svg/palette.ts';

export interface RenderOptions {
  readonly format: Exclude<ChartFormat, 'png'>;
  readonly direction: Direction;
  readonly theme: Theme;
  /** Ids of states to mark as active. */
  readonly active: readonly string[];
  /** Called before a layout that takes seconds. */
  readonly onSlow: (message: string) => void;
}

export async function renderChart(model: ChartModel, options: RenderOptions): Promise<string> {
  switch (options.format) {
    case 'svg':
      return await renderSvg(model, options);
    case 'html':
      return (await import('./html/html.ts')).chartHtml(model, await renderSvg(model, options));
    case 'mermaid':
      return (await import('./text/mermaid.ts')).chartMermaid(model, options);
    case 'dot':
      return (await import('./text/dot.ts')).chartDot(model, options);
    case 'scxml':
      return (await import('./text/scxml.ts')).chartScxml(model);
    case 'xstate':
      return (await import('./text/xstate.ts')).chartXState(model);
    case 'plantuml':
      return (await import('./text/plantuml.ts')).chartPlantuml(model, options);
    case 'tree':
      return (await import('./text/tree.ts')).chartTree(model, options);
  }
}

async function renderSvg(model: ChartModel, options: RenderOptions): Promise<string> {
  const { layOutChart } = await import('./layout/layout.ts');
  const { chartSvg } = await import('./svg/svg.ts');
  return chartSvg(await layOutChart(model, options), options);
}
