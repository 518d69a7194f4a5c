/** Every answer there is, once per id, for --list and for looking one up. */
import type { Answer } from './answer.ts';
import { logRuleAnswers } from './log-rules.ts';
import { messageAnswers } from './messages/index.ts';
import { errnoNotShown } from './read/recognise.ts';
import { requestAnswers } from './requests/index.ts';
import { statusAnswers } from './status/explain-status.ts';

let answers: readonly Answer[] | undefined;

export function allAnswers(): readonly Answer[] {
  // They are asked for at every line that is typed.
  answers ??= collect();
  return answers;
}

function collect(): readonly Answer[] {
  const byId = new Map(
    [...messageAnswers, ...logRuleAnswers, ...requestAnswers, ...statusAnswers, errnoNotShown].map(
      (answer) => [answer.id, answer],
    ),
  );
  return [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}
