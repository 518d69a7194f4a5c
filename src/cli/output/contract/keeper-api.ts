/**
 * The API of a keeper as an OpenAPI document, of its routes and of the schemas of the documents that it answers with.
 * schema/keeper-api.openapi.json is made of this, which keepers serve: they do not load zod.
 */
import type { z } from 'zod';
import { plainJsonSchema } from '../../../documents/json-schema.ts';
import type { Field, Fields } from '../../../keeper/api/exchange.ts';
import { type AnswerForm, type Route, routes } from '../../../keeper/api/routes.ts';
import { apiRange } from '../../../keeper/identity.ts';
import { errorDocument } from './diagnoses.ts';
import { actedDocument, keeperDocument, tdDocument, tdMoveDocument, toldRecord } from './kept.ts';

/** By the name that an answer has for it; the events of the stream are told apart in words. */
const documents: Readonly<Record<string, z.ZodType>> = {
  'tdctl.Acted': actedDocument,
  'tdctl.Error': errorDocument,
  'tdctl.Keeper': keeperDocument,
  'tdctl.Td': tdDocument,
  'tdctl.TdMove': tdMoveDocument,
  toldRecord,
};

const refusals = {
  '4XX': 'It was refused: `error.code` says why (docs/errors.md).',
  '5XX': 'The keeper could not do it, or has no room for another reader.',
} as const;

type Json = Readonly<Record<string, unknown>>;

const refTo = (name: string) => ({ $ref: `#/components/schemas/${name}` });

export function openApiText(): string {
  return `${JSON.stringify(openApi(), null, 2)}\n`;
}

function openApi() {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    paths[`/v${apiRange.newest}${route.path}`] = { [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'The API of the keeper of a TD',
      version: String(apiRange.newest),
      description:
        'HTTP/1.1 on control.sock in the directory of the TD, for its owner and root. docs/keeper-api.md says how it is meant.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: 'http://tdctl', description: 'Any name will do: the socket is the address.' }],
    security: [],
    paths,
    components: { schemas: schemas() },
  };
}

function operation({ id, summary, query, takes, answers, upgrade }: Route): Json {
  const parameters = Object.entries(query ?? {}).map(([name, field]) => ({
    name,
    in: 'query',
    description: field.description,
    schema: fieldSchema(field),
  }));
  const switched =
    upgrade === undefined
      ? {}
      : { 101: { description: `Of \`upgrade: ${upgrade.protocol}\`. ${upgrade.summary}` } };
  return {
    operationId: id,
    summary,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(takes === undefined ? {} : { requestBody: body(takes) }),
    responses: {
      ...switched,
      ...Object.fromEntries(
        Object.entries(answers).map(([status, form]) => [status, response(form)]),
      ),
      ...Object.fromEntries(
        Object.entries(refusals).map(([status, description]) => [
          status,
          response({ summary: description, type: 'application/json', kind: 'tdctl.Error' }),
        ]),
      ),
    },
  };
}

function response({ summary, type, kind, events }: AnswerForm): Json {
  const schema =
    kind === undefined ? { type: type === 'application/json' ? 'object' : 'string' } : refTo(kind);
  return {
    description: summary,
    content: {
      [type]: { schema, ...(events === undefined ? {} : { 'x-event-data': refTo(events) }) },
    },
  };
}

function body(fields: Fields): Json {
  const schema = {
    type: 'object',
    properties: Object.fromEntries(
      Object.entries(fields).map(([name, field]) => [
        name,
        { ...fieldSchema(field), description: field.description },
      ]),
    ),
    additionalProperties: false,
  };
  return { required: false, content: { 'application/json': { schema } } };
}

function fieldSchema({ schema }: Field): Json {
  return { type: schema.type, minimum: schema.minimum, maximum: schema.maximum };
}

/** What zod puts beside a schema, because it has an id, becomes one of the schemas too. */
function schemas(): Json {
  const all: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(documents)) {
    const { $schema: _, $defs = {}, ...rest } = plainJsonSchema(schema);
    const isDefined = '$ref' in rest;
    Object.assign(all, $defs, isDefined ? {} : { [name]: rest });
  }
  const sorted = Object.entries(all).sort(([one], [other]) => (one < other ? -1 : 1));
  const text = JSON.stringify(Object.fromEntries(sorted));
  return JSON.parse(text.replaceAll('"#/$defs/', '"#/components/schemas/'));
}
