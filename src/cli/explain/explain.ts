/** `tdctl explain`: a status word by itself is answered at once, and all else is read as a log is. */
import { explainStatusWord } from '../../diagnosis/explain/status-word.ts';
import { type ExplainOptions, printDiagnosis } from './print-diagnosis.ts';

/**
 * @throws TdctlError TDCTL_E_USAGE for a kernel that is not known, TDCTL_E_NOT_FOUND when nothing of
 * what is asked is.
 */
export async function explain(options: ExplainOptions): Promise<void> {
  const { text, log, kernel } = options;
  const isAlone = text !== undefined && log === undefined && kernel === undefined;
  const diagnosis = isAlone ? explainStatusWord(text) : undefined;
  if (diagnosis !== undefined) return printDiagnosis(diagnosis, options);
  const { explainText } = await import('./explain-text.ts');
  return explainText(options);
}
