/** The schemas for those who read documents. schema/output/ is made of this by scripts/export-schema.mjs. */
import { jsonSchemaText } from '../../../documents/json-schema.ts';
import { contracts } from './index.ts';

/** `host-diff` for tdctl.HostDiff, in which schema/output/host-diff.json is named. */
function fileName(kind: string): string {
  return kind
    .replace('tdctl.', '')
    .replace(/(?<=[a-z])[A-Z]/g, '-$&')
    .toLowerCase();
}

/** The text of each file by its name. */
export function outputSchemaTexts(): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(contracts).map(([kind, schema]) => {
      const name = fileName(kind);
      return [`${name}.json`, jsonSchemaText(schema, `output/${name}`)];
    }),
  );
}
