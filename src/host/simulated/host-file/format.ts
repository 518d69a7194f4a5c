import type { FileFormat } from '../../../documents/read.ts';
import { SchemaFields } from '../../../documents/schema-fields.ts';
import { simulatedHostSchema } from './schema.ts';

export const simulatedHostFormat: FileFormat<typeof simulatedHostSchema> = {
  kind: 'SimulatedHost',
  schema: simulatedHostSchema,
  fields: new SchemaFields(simulatedHostSchema),
  // Rules between fields need the profile that the file starts from, so they are in to-profile.ts.
  help: 'docs/host-files.md explains every field; examples/hosts/ has files that are right',
};
