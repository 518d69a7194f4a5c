/** What every statechart of tdctl must keep (docs: ARCHITECTURE.md, "Machines"). */

import { describe, expect, test } from 'vitest';
import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { machines } from '../../machines/index.ts';

function allNodes(node: AnyStateNode): AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap(allNodes)];
}

function nodesOf(machine: AnyStateMachine): AnyStateNode[] {
  return allNodes(machine.root);
}

/** Every place in a definition where XState would also take a function instead of a name. */
function inlineFunctions(value: unknown, path: string, found: string[] = []): string[] {
  if (typeof value === 'function') found.push(path);
  if (typeof value === 'object' && value !== null) {
    for (const [key, child] of Object.entries(value)) {
      // Parameters are read from events by functions; they decide and do nothing.
      if (key === 'params' || key === 'input') continue;
      inlineFunctions(child, `${path}.${key}`, found);
    }
  }
  return found;
}

describe.each(machines.map((entry) => [entry.id, entry] as const))('%s', (id, entry) => {
  const { machine, steps } = entry;

  test('every state has a description', () => {
    const without = nodesOf(machine).filter((node) => !node.description);
    expect(without.map((node) => node.id)).toEqual([]);
  });

  test('every invoked actor is handled when it is done and when it fails', () => {
    const invokes = nodesOf(machine).flatMap((node) => {
      const { invoke } = node.config;
      return invoke
        ? [{ node: node.id, ...(invoke as { onDone?: unknown; onError?: unknown }) }]
        : [];
    });
    expect(invokes.length).toBeGreaterThan(0);
    for (const invoke of invokes) {
      expect(invoke.onDone, `${invoke.node} onDone`).toBeDefined();
      expect(invoke.onError, `${invoke.node} onError`).toBeDefined();
    }
  });

  test('actions, guards and actors are named, never inline', () => {
    const { states, on } = machine.config as { states?: unknown; on?: unknown };
    expect(inlineFunctions({ states, on }, id)).toEqual([]);
  });

  test('every working state stands in the step table, and the table names nothing else', () => {
    const invoked = nodesOf(machine)
      .filter((node) => node.config.invoke)
      .map((node) => ({ state: node.key, actor: (node.config.invoke as { src: string }).src }));
    // Settling waits for a step; it makes no request and is no step itself.
    const steppedActors = invoked.filter(({ actor }) => actor !== 'settleStep');
    expect(steppedActors).toEqual(steps.map(({ state, actor }) => ({ state, actor })));
  });

  test('every step has an undo or says who takes it back', () => {
    for (const step of steps) {
      const text = 'does' in step.undo ? step.undo.does : step.undo.leftTo;
      expect(text, step.state).toMatch(/\w{4}/);
    }
  });

  test('a final state can be reached from every state', () => {
    const nodes = nodesOf(machine);
    const targets = new Map(
      nodes.map((node) => [
        node.id,
        [...node.transitions.values()]
          .flat()
          .flatMap((transition) => transition.target ?? [])
          .concat(node.parent ? [node.parent] : [])
          // The way out of a compound state may be one of its children's.
          .concat(Object.values(node.states))
          .map((target) => target.id),
      ]),
    );
    const ends = new Set(
      Object.values(machine.root.states)
        .filter((node) => node.type === 'final')
        .map((node) => node.id),
    );
    const reachesEnd = (from: string, seen = new Set<string>()): boolean => {
      if (ends.has(from)) return true;
      if (seen.has(from)) return false;
      seen.add(from);
      return (targets.get(from) ?? []).some((next) => reachesEnd(next, seen));
    };
    const deadEnds = nodes
      .filter((node) => node !== machine.root && node.type !== 'final')
      .filter((node) => !reachesEnd(node.id));
    expect(deadEnds.map((node) => node.id)).toEqual([]);
  });

  test('the definition survives JSON, so that tools can read it', () => {
    const json = JSON.parse(JSON.stringify(machine.toJSON()));
    expect(Object.keys(json.states)).toEqual(Object.keys(machine.root.states));
  });
});
