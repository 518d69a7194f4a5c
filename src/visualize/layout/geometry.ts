/** A renderer draws a chart with places. All of them are in pixels from the top left of the picture. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Box extends Point {
  readonly width: number;
  readonly height: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  /** Nodes, parents before children. */
  readonly nodes: readonly PlacedNode[];
  /** The dots that mark where a compound state begins. */
  readonly initials: readonly PlacedInitial[];
  readonly edges: readonly PlacedEdge[];
}

export interface PlacedNode extends Box {
  readonly id: string;
  /** Number of compounds around the node, so that the root's children have 1. */
  readonly depth: number;
}

export interface PlacedInitial {
  readonly parent: string;
  readonly target: string;
  readonly dot: Box;
  readonly points: readonly Point[];
}

export interface PlacedEdge {
  /** One line of the picture; it may stand for several transitions. */
  readonly line: EdgeLine;
  /** Points from the source to the target, with the corners in between. */
  readonly points: readonly Point[];
  /** Null for a line without words. */
  readonly label: Box | null;
}

/** The tone decides the colour. */
export type EdgeTone = 'event' | 'done' | 'error' | 'timer' | 'always';

export interface EdgeLine {
  readonly id: string;
  readonly source: string;
  readonly target: string;
  readonly tone: EdgeTone;
  /** Ids of the model's transitions it stands for. */
  readonly edges: readonly string[];
  readonly labels: readonly LabelLine[];
}

/** One line of text in a label. */
export interface LabelLine {
  readonly spans: readonly LabelSpan[];
  readonly tone: EdgeTone;
}

export interface LabelSpan {
  readonly text: string;
  readonly kind: 'trigger' | 'guard' | 'action';
}
