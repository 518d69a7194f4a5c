/** Pause, step, speed: asked of tdctl, shown as tdctl says. */
export const controlsScript = `
const hold = element('hold');
const speed = element('speed');
const stepOn = element('step');
let pace = { paused: false, stepsPerSecond: null };

const ask = (what) => fetch('control', {
  method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(what),
}).catch(() => undefined);

function showPace() {
  if (!hold) return;
  if (isOver) return noMoreHolding();
  hold.textContent = pace.paused ? 'Resume' : 'Pause';
  stepOn.disabled = !pace.paused;
  const value = pace.stepsPerSecond === null ? 'max' : String(pace.stepsPerSecond);
  if (![...speed.options].some((option) => option.value === value)) {
    speed.append(Object.assign(make('option', '', value + ' steps/s'), { value }));
  }
  speed.value = value;
}

function noMoreHolding() {
  for (const control of [hold, speed, stepOn]) if (control) control.disabled = true;
}

if (hold) {
  hold.addEventListener('click', () => ask({ do: pace.paused ? 'resume' : 'pause' }));
  stepOn.addEventListener('click', () => ask({ do: 'step' }));
  speed.addEventListener('change', () => ask({ do: 'speed', stepsPerSecond: speed.value === 'max' ? null : Number(speed.value) }));
}
addEventListener('keydown', (event) => {
  const { tagName } = event.target;
  if (tagName === 'INPUT' || tagName === 'SELECT' || event.ctrlKey || event.metaKey || event.altKey) return;
  // A focused button takes the space bar itself.
  if (tagName === 'BUTTON' && event.key === ' ') return;
  const pressed = { '/': () => filter.focus(), ' ': () => hold?.click(), s: () => stepOn?.click() }[event.key];
  if (!pressed) return;
  event.preventDefault();
  pressed();
});
`;
