import { readData } from '../../../../visualize/page/client/dom.ts';
import type { RehearsalData } from '../rehearsal-data.ts';

export const data = readData<RehearsalData>();
