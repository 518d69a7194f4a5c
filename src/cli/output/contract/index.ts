/**
 * What the commands print as data, kind by kind: the contract with those who read it. The commands take the types
 * alone; the schemas are for schema/output/ and for the test that holds every command to them.
 */
import type { z } from 'zod';
import {
  answersDocument,
  errorDocument,
  explanationDocument,
  traceLintDocument,
} from './diagnoses.ts';
import {
  doctorCheckDocument,
  doctorDocument,
  fitDocument,
  footprintDocument,
  hostDiffDocument,
  hostDocument,
  kernelsDocument,
  sharedHostDocument,
  sharedHostsDocument,
} from './hosts.ts';
import {
  tdActionsDocument,
  tdDocument,
  tdEventDocument,
  tdListDocument,
  tdMoveDocument,
} from './kept.ts';
import { comparisonDocument, matrixDocument, rehearsalDocument } from './rehearsals.ts';
import {
  execDocument,
  importDocument,
  measurementDocument,
  planDocument,
  runDocument,
} from './tds.ts';

export const contracts = {
  'tdctl.Answers': answersDocument,
  'tdctl.Doctor': doctorDocument,
  'tdctl.DoctorCheck': doctorCheckDocument,
  'tdctl.Error': errorDocument,
  'tdctl.ExecSummary': execDocument,
  'tdctl.Explanation': explanationDocument,
  'tdctl.Fit': fitDocument,
  'tdctl.Footprint': footprintDocument,
  'tdctl.Host': hostDocument,
  'tdctl.HostDiff': hostDiffDocument,
  'tdctl.Import': importDocument,
  'tdctl.KernelComparison': comparisonDocument,
  'tdctl.Kernels': kernelsDocument,
  'tdctl.Measurement': measurementDocument,
  'tdctl.Plan': planDocument,
  'tdctl.Rehearsal': rehearsalDocument,
  'tdctl.RehearsalMatrix': matrixDocument,
  'tdctl.Run': runDocument,
  'tdctl.SharedHost': sharedHostDocument,
  'tdctl.SharedHosts': sharedHostsDocument,
  'tdctl.Td': tdDocument,
  'tdctl.TdActions': tdActionsDocument,
  'tdctl.TdEvent': tdEventDocument,
  'tdctl.TdMove': tdMoveDocument,
  'tdctl.TdList': tdListDocument,
  'tdctl.TraceLint': traceLintDocument,
} as const satisfies Readonly<Record<`tdctl.${string}`, z.ZodType>>;

type Contracts = typeof contracts;
export type DocumentKind = keyof Contracts;

/** What a document is made of: a BigInt is printed as the number or the text that its contract has. */
export type Printable<Value> = Value extends `0x${string}`
  ? Value | bigint
  : Value extends readonly (infer Item)[]
    ? readonly Printable<Item>[]
    : Value extends object
      ? {
          readonly [Key in keyof Value]: Key extends `${string}Bytes`
            ? Value[Key] | bigint
            : Printable<Value[Key]>;
        }
      : Value;

/** All of a document but kind and version; of a stream, of the one line that has these. */
export type Content<Kind extends DocumentKind> = ContentOf<z.infer<Contracts[Kind]>>;

type ContentOf<Document> = Document extends { readonly kind: string }
  ? Printable<Omit<Document, 'kind' | 'version'>>
  : never;
