import { SchemaFields } from '../documents/schema-fields.ts';
import { trustDomainSchema } from './schema.ts';

/** The fields of the TrustDomain format. */
export const trustDomainFields = new SchemaFields(trustDomainSchema);
