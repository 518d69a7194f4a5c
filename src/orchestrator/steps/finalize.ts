import type { Finalized } from '../../../machines/td-lifecycle/index.ts';
import { TdctlError } from '../../errors/index.ts';
import type { Interruption } from '../interruption.ts';
import type { TdSession } from '../session.ts';
import { repeated } from './repeat.ts';

/** The TD is measured after this step. Where the host tells the MRTD, it must be the predicted one. */
export async function finalizeTd(
  { plan, handles, publish }: TdSession,
  interruption: Interruption,
): Promise<Finalized> {
  if (handles.has('finalized')) return handles.get('finalized');
  const vm = handles.get('vm');
  // TDH.MR.FINALIZE found the TD busy, and has closed nothing.
  await repeated(() => vm.tdxFinalizeVm(), { on: 'EBUSY', interruption });
  const bytes = await vm.mrtd();
  const mrtd = bytes ? Buffer.from(bytes).toString('hex') : null;
  publish({ event: 'td.finalized', mrtd });
  if (mrtd !== null && mrtd !== plan.predictedMrtd) {
    throw new TdctlError({
      code: 'TDCTL_E_MEASUREMENT_MISMATCH',
      op: 'compare the measurement',
      message: 'the TD was measured differently from what its firmware predicts',
      details: [`predicted: ${plan.predictedMrtd}`, `measured:  ${mrtd}`],
      hint: 'this is a defect of tdctl or of the host: please report both values',
    });
  }
  handles.set('finalized', { mrtd });
  return { mrtd };
}
