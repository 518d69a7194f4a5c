/** A TD that could not be built, and a move that was rolled back, leave the machine as it was. */
import type { Snapshot } from '../../simulator/index.ts';
import type { OperationResult } from '../perform.ts';
import { changedBy, type Violation, violation } from './invariants.ts';

/** What is done at the same time and not undone changes the machine too, so that nothing can be said. */
export function undone(
  results: readonly OperationResult[],
  before: Snapshot,
  after: Snapshot,
): Violation[] {
  const changing = results.filter(({ operation }) => operation.do !== 'update-module');
  if (changing.length === 0 || !changing.every(wasUndone)) return [];
  // What the module keeps, and what others do meanwhile, is judged at the end.
  if (after.keySlots.leaked !== before.keySlots.leaked) return [];
  if (after.hostPages.leaked !== before.hostPages.leaked) return [];
  if (after.keySlots.foreign !== before.keySlots.foreign) return [];
  const changed = changedBy(before, after);
  if (changed.length === 0) return [];
  return [violation('undo-harmless', `changed by what was undone: ${changed.join(', ')}`)];
}

function wasUndone({ operation, verdict, result }: OperationResult): boolean {
  return verdict === 'sourceKept' || (operation.do === 'provision' && result === 'failed');
}
