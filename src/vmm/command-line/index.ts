export type { VmmAccess, VmmCommand, VmmFile, VmmPlaces, VmmPlan } from './command.ts';
