/** Every file format begins with its version, its kind and its name; its `spec` comes next. */
import { z } from 'zod';

const apiVersion = 'tdctl.io/v1alpha1';

/** The first two fields of TrustDomain and SimulatedHost files. */
export function objectHead<Kind extends string>(kind: Kind) {
  return {
    apiVersion: z
      .literal(apiVersion)
      .meta({ description: 'Version of this file format.', examples: [apiVersion] }),
    kind: z.literal(kind).meta({ description: 'Kind of object.', examples: [kind] }),
  };
}

interface EnvelopeOptions<Kind extends string, Spec extends z.ZodType> {
  readonly kind: Kind;
  /** How a description names such a file: `the rehearsal`. */
  readonly what: string;
  readonly exampleName: string;
  readonly spec: Spec;
}

export function envelope<Kind extends string, Spec extends z.ZodType>({
  kind,
  what,
  exampleName,
  spec,
}: EnvelopeOptions<Kind, Spec>) {
  return z.strictObject({
    apiVersion: z
      .literal(apiVersion)
      .meta({ description: 'Version of this format.', examples: [apiVersion] }),
    kind: z.literal(kind).meta({ description: 'Kind of this file.', examples: [kind] }),
    metadata: z
      .strictObject({
        name: z
          .string()
          .min(1)
          .max(63)
          .meta({ description: `Name of ${what}.`, examples: [exampleName] }),
      })
      .meta({ description: `What ${what} is called.`, examples: [{ name: exampleName }] }),
    spec,
  });
}
