// @ts-check
/**
 * Rates once V8 has compiled what runs often: it takes several rounds for a TD's life, and a rate before that is one of
 * the compiler.
 */
const mostWarmUps = 12;
/** A rate that is not this much above the best before has come to rest, or is lost in what else the machine does. */
const stillRising = 1.03;
/** So many rounds in a row: a single one may have met the collector. */
const restingRounds = 3;

/**
 * The rates of `rounds` rounds after those that warm up.
 * @param {() => Promise<number>} round gives its rate
 * @param {number} rounds
 */
export async function steadyRates(round, rounds) {
  let best = 0;
  let resting = 0;
  let warmUps = 0;
  for (; warmUps < mostWarmUps && resting < restingRounds; warmUps++) {
    const rate = await round();
    resting = rate > best * stillRising ? 0 : resting + 1;
    best = Math.max(best, rate);
  }
  const rates = [];
  for (let each = 0; each < rounds; each++) rates.push(await round());
  return { rates, warmUps };
}
