/** The states of a chart need names in formats that allow only plain ones. */
import { type ChartModel, type ChartNode, walk } from '../chart-model.ts';
import { encodeName } from './encode-name.ts';

/**
 * Gives names such as `td-lifecycle.provisioning.creatingVm`. Every key is encoded, so the dots tell
 * them apart.
 */
export function nodeNames(model: ChartModel): (id: string) => string {
  const names = new Map<string, string>();
  const visit = (node: ChartNode, name: string) => {
    names.set(node.id, name);
    for (const child of node.children) visit(child, `${name}.${encodeName(child.key)}`);
  };
  visit(model.root, encodeName(model.id));
  return (id) => names.get(id) ?? encodeName(id);
}

/** These words mean something to Mermaid or PlantUML where a name could stand. */
const reserved = new Set(
  'as class classdef click default direction end hide left note over right scale state style title'.split(
    ' ',
  ),
);

/**
 * Gives names of letters, digits and `_` only, such as `provisioning_creatingVm`, for Mermaid and
 * PlantUML.
 */
export function wordNames(model: ChartModel): (id: string) => string {
  const names = new Map<string, string>();
  const taken = new Set<string>(reserved);
  for (const { id } of walk(model.root)) {
    const word = encodeName(id === '' ? model.id : id.replaceAll('.', '_')).replaceAll('-', '_');
    let name = word;
    for (let more = 2; taken.has(name.toLowerCase()); more++) name = `${word}_${more}`;
    taken.add(name.toLowerCase());
    names.set(id, name);
  }
  return (id) => names.get(id) ?? encodeName(id);
}
