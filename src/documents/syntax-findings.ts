/** Says what the YAML parser objects to, at the place where a person has to put something right. */
import { type Document, isCollection, isScalar, visit, type YAMLError } from 'yaml';
import type { Finding } from './finding.ts';
import type { Positions } from './positions.ts';
import { yamlProblems } from './yaml-problems.ts';

export function syntaxFindings(document: Document.Parsed, positions: Positions): Finding[] {
  if (document.errors.length === 0) return [];
  const openings = openingsByEnd(document);
  const findings = document.errors.map((error) => {
    const opening = openings[error.code === 'MISSING_CHAR' ? 'quotes' : 'brackets'];
    const start = isAboutAnEnd(error) ? opening.get(error.pos[0]) : undefined;
    return start === undefined
      ? { field: '', problem: yamlProblems[error.code], place: positions.ofRange(error.pos) }
      : { field: '', problem: 'what opens here is not closed', place: at(start, positions) };
  });
  return firstAtEachPlace(findings);
}

/** Several errors in one place follow from the first, which alone is kept. */
function firstAtEachPlace(findings: readonly Finding[]): Finding[] {
  const byPlace = new Map<string, Finding>();
  for (const finding of findings) {
    const key = `${finding.place.line}:${finding.place.column}`;
    if (!byPlace.has(key)) byPlace.set(key, finding);
  }
  return [...byPlace.values()];
}

function at(offset: number, positions: Positions) {
  return positions.ofRange([offset, offset + 1]);
}

/** The parser notices a missing quote or bracket only where the text ends or no longer fits. */
function isAboutAnEnd(error: YAMLError): boolean {
  return error.code === 'MISSING_CHAR' || error.code === 'BAD_INDENT';
}

/** Gives the offsets where quotes and brackets open, by the offset where their content ends. */
function openingsByEnd(document: Document.Parsed) {
  const quotes = new Map<number, number>();
  const brackets = new Map<number, number>();
  visit(document, {
    Node(_, node) {
      if (!node.range) return;
      const [start, end] = node.range;
      if (isScalar(node) && node.type?.startsWith('QUOTE_')) quotes.set(end, start);
      if (isCollection(node) && node.flow) brackets.set(end, start);
    },
  });
  return { quotes, brackets };
}
