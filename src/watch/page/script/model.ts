/** What the page knows of the run: its lanes, made from the messages alone. */
export const modelScript = `
const lanes = new Map();
const moves = [];
let newest = null;

function laneOf(message) {
  let lane = lanes.get(message.lane);
  if (lane) return lane;
  const { machine, td } = message.event;
  lane = { name: message.lane, machine, td, state: null, seen: new Set(), failed: new Set(), note: '', outcome: null };
  lanes.set(lane.name, lane);
  if (machine === 'intra-host-migration') moves.push(lane);
  return lane;
}

/** What a message changes, in the lane it is of. */
const changes = {
  'state.entered': (lane, event) => {
    lane.state = event.state;
    lane.note = '';
    const keys = event.state.split('.');
    keys.forEach((_, at) => lane.seen.add(keys.slice(0, at + 1).join('.')));
  },
  'step.progress': (lane, event) => { lane.note = event.done + ' of ' + event.total + ' ' + event.unit; },
  'step.ended': (lane, event) => {
    if (event.result === 'failed' && lane.state) lane.failed.add(stateOfStep(lane, event.step));
  },
  'td.ended': (lane, event) => { lane.outcome = event.outcome; lane.note = event.error ? event.error.message : ''; },
  'migration.ended': (lane, event) => { lane.outcome = event.verdict; lane.note = event.error ? event.error.message : ''; },
};

/** Steps have the name of their state, which may lie within others. */
function stateOfStep(lane, step) {
  for (const state of lane.seen) if (state === step || state.endsWith('.' + step)) return state;
  return lane.state;
}

function takeEvent(message) {
  const lane = laneOf(message);
  newest = lane;
  const change = changes[message.event.event];
  if (change) change(lane, message.event);
}

/** Lanes of a TD's VMs, in the order it was in them. */
const vmsOf = (td) => [...lanes.values()].filter((lane) => lane.td === td && lane.machine === 'td-lifecycle');
const movesOf = (td) => moves.filter((move) => move.td === td);
`;
