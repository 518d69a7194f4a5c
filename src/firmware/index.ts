export { hex } from './hex.ts';
export { loadFirmware } from './load-firmware.ts';
export { parseTdvf } from './parse-tdvf.ts';
export {
  type MeasurementOrder,
  type MrtdPrediction,
  predictMrtd,
} from './predict-mrtd.ts';
export { isAddedAtBuild, isLaunchedByQemu } from './sections.ts';
export { buildTdHob } from './td-hob.ts';
export type { FirmwareImage, TdvfSection } from './types.ts';
