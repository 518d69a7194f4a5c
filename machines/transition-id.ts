/** The transitions of a chart have names, which the events of a run and the pictures use. */
import type { AnyStateNode, AnyTransitionDefinition } from 'xstate';

type Transition = Pick<AnyTransitionDefinition, 'source' | 'eventType'>;

const known = new WeakMap<Transition, string>();

/**
 * Names a transition by the state that is left and the cause: `absent td.create`, `moving error`,
 * `provisioning done.state`. Of alternatives with the same cause the second and those after it are
 * numbered: `releasing done#2`.
 */
export function transitionId(transition: Transition): string {
  const before = known.get(transition);
  if (before !== undefined) return before;
  const { source, eventType } = transition;
  const same = eventType === '' ? source.always : source.transitions.get(eventType);
  const place = same?.indexOf(transition as AnyTransitionDefinition) ?? 0;
  const cause = causeOf(source, eventType);
  const from = source.path.length === 0 ? '' : `${source.path.join('.')} `;
  const id = `${from}${cause}${place > 0 ? `#${place + 1}` : ''}`;
  known.set(transition, id);
  return id;
}

/**
 * XState names the events of ended actors and states after their state; only the kind of end matters
 * here.
 */
function causeOf({ id }: AnyStateNode, eventType: string): string {
  if (eventType === '') return 'always';
  return eventType
    .replace(/^xstate\./, '')
    .replace(`.actor.0.${id}`, '')
    .replace(`.${id}`, '');
}
