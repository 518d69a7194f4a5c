/** `spec.attributes` and `spec.xfam` are a list of names, or the whole mask in hex. */
import { attributeFindings, attributes, neverAllowedAttributes } from '../abi/tdx/attributes.ts';
import type { Feature, FeatureFinding } from '../abi/tdx/feature-mask.ts';
import { neverAllowedXfam, xfamFeatures, xfamFindings } from '../abi/tdx/xfam.ts';
import { nearest } from '../documents/nearest.ts';
import { type Parsed, type Problem, parsed, refused } from '../documents/parsed.ts';
import { describeValue, oneOf, quote } from '../documents/wording.ts';

interface FeatureField {
  readonly features: readonly Feature[];
  /** These are known by name so that the answer can say more than "unknown". */
  readonly neverAllowed: readonly Feature[];
  readonly findings: (mask: bigint) => FeatureFinding[];
}

const attributeField: FeatureField = {
  features: attributes,
  neverAllowed: neverAllowedAttributes,
  findings: attributeFindings,
};

const xfamField: FeatureField = {
  features: xfamFeatures,
  neverAllowed: neverAllowedXfam,
  findings: xfamFindings,
};

export function parseAttributes(value: unknown): Parsed<bigint> {
  return parseFeatures(value, attributeField);
}

export function parseXfam(value: unknown): Parsed<bigint> {
  return parseFeatures(value, xfamField);
}

function parseFeatures(value: unknown, field: FeatureField): Parsed<bigint> {
  if (Array.isArray(value)) return parseNames(value, field);
  const mask = parseMask(value, field);
  if ('problems' in mask) return mask;
  const problems = field.findings(mask.value).map((finding) => ({ text: sentence(finding) }));
  return problems.length === 0 ? mask : { problems };
}

function parseMask(value: unknown, field: FeatureField): Parsed<bigint> {
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value))) {
    return checkWidth(BigInt(value));
  }
  if (typeof value === 'string' && /^0x[0-9a-f]{1,64}$/i.test(value)) {
    return checkWidth(BigInt(value));
  }
  const names = [...field.features, ...field.neverAllowed].map((feature) => feature.name);
  if (typeof value === 'string' && names.includes(value)) {
    return refused(`must be a list of names; write [${value}]`);
  }
  return refused(`must be a list of names, or a mask such as 0x3; this is ${describeValue(value)}`);
}

function checkWidth(mask: bigint): Parsed<bigint> {
  if (mask < 0n) return refused('must not be negative');
  if (mask >> 64n !== 0n) return refused('must fit into 64 bits');
  return parsed(mask);
}

function parseNames(items: readonly unknown[], field: FeatureField): Parsed<bigint> {
  const all = [...field.features, ...field.neverAllowed];
  const problems: Problem[] = [];
  let mask = 0n;
  for (const [item, name] of items.entries()) {
    const feature = all.find((candidate) => candidate.name === name);
    if (feature === undefined) problems.push({ item, text: unknownName(name, field) });
    else if (items.indexOf(name) < item) problems.push({ item, text: `${name} is there twice` });
    else mask |= feature.mask;
  }
  // With a name that was not understood, "must be set" could be answered by that very name.
  const isComplete = problems.length === 0;
  for (const finding of field.findings(mask)) {
    const isAboutWhatIsThere = finding.rule === 'never-allowed' || finding.rule === 'excludes';
    if (isComplete || isAboutWhatIsThere) problems.push(atItsName(finding, items));
  }
  return problems.length === 0 ? parsed(mask) : { problems };
}

function atItsName(finding: FeatureFinding, items: readonly unknown[]): Problem {
  const item = items.indexOf(finding.name);
  return item === -1 ? { text: sentence(finding) } : { item, text: sentence(finding) };
}

function sentence(finding: FeatureFinding): string {
  return `${finding.name} ${finding.explanation}`;
}

function unknownName(name: unknown, field: FeatureField): string {
  const names = field.features.map((feature) => feature.name);
  if (typeof name !== 'string') return `must be a name; this is ${describeValue(name)}`;
  const meant = nearest(name, names);
  return meant === undefined
    ? `${quote(name)} is unknown; the names are ${oneOf(names)}`
    : `${quote(name)} is unknown; did you mean ${meant}?`;
}
