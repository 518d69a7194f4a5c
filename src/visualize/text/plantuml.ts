/** The chart is written as PlantUML's state diagram. */
import { sanitize } from '../../errors/sanitize.ts';
import { type ChartModel, type ChartNode, indexChart } from '../chart-model.ts';
import { edgeText } from '../labels.ts';
import type { Direction } from '../layout/direction.ts';
import { indent } from './indent.ts';
import { wordNames } from './node-names.ts';
import { regions } from './placement.ts';

export function chartPlantuml(
  model: ChartModel,
  { direction }: { readonly direction: Direction },
): string {
  const chart = indexChart(model);
  const name = wordNames(model);

  const block = (node: ChartNode): string[] => [
    ...(node.initial === null ? [] : [`[*] --> ${name(node.initial)}`]),
    ...regions(node, node.children.map(state), '--'),
  ];
  const state = (node: ChartNode): string[] => {
    const kind = node.kind === 'history' ? ' <<history>>' : '';
    const declared = `state "${escapePlantuml(node.key)}" as ${name(node.id)}${kind}`;
    const about = facts(node).map((fact) => `${name(node.id)} : ${escapePlantuml(fact)}`);
    if (node.children.length > 0) return [`${declared} {`, ...indent(block(node)), '}', ...about];
    return [declared, ...about, ...(node.kind === 'final' ? [`${name(node.id)} --> [*]`] : [])];
  };
  const facts = (node: ChartNode): string[] => [
    ...node.entry.map((action) => `entry / ${action}`),
    ...node.exit.map((action) => `exit / ${action}`),
    ...node.invokes.map(({ src }) => `invoke ${src}`),
    ...chart
      .outgoing(node.id)
      .filter(({ targets }) => targets.length === 0)
      .map((edge) => `${edgeText(edge, chart)} (stays)`),
  ];

  return [
    '@startuml',
    `title ${escapePlantuml(model.id)}`,
    ...(direction === 'right' ? ['left to right direction'] : []),
    'hide empty description',
    ...state(model.root),
    ...model.edges.flatMap((edge) =>
      edge.targets.map(
        (target) =>
          `${name(edge.source)} --> ${name(target)} : ${escapePlantuml(edgeText(edge, chart))}`,
      ),
    ),
    '@enduml',
    '',
  ].join('\n');
}

/**
 * PlantUML can write a character by its number. Every character that could mean something to it is
 * written so.
 */
export function escapePlantuml(text: string): string {
  const escaped = sanitize(text).replace(
    /[^\p{L}\p{M}\p{N} .,()[\]→/_-]|(?<=[-_/[])[-_/[]|^[[(/]/gu,
    (char) => `<U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}>`,
  );
  return escaped.trim() || '<U+00A0>';
}
