// One row of attention to be changed by hand: a bar and a number for each source word. A dragged bar takes its share from
// the others, which keep their proportions, so the row always sums to 1. A plain ES module without dependencies
// (common.js stands before it). The default export is a Streamlit component; `hydrate` serves plain pages.

const STEP = 0.05;

// The other weights shrink or grow in proportion; where all others are 0 they share the rest evenly.
export function renormalised(weights, index, value) {
  const wanted = clamp(value, 0, 1);
  const others = weights.reduce((sum, weight, i) => (i === index ? sum : sum + weight), 0);
  const rest = 1 - wanted;
  return weights.map((weight, i) => {
    if (i === index) return weights.length === 1 ? 1 : wanted;
    return others > 0 ? (weight / others) * rest : rest / (weights.length - 1);
  });
}

class WeightRow {
  constructor(root, { payload, onWeights }) {
    this.root = root;
    this.data = payload;
    this.onWeights = onWeights || (() => {});
    this.weights = [...payload.weights];
    root.style.setProperty('--sv-size', `${Math.max(payload.fontSize, 14)}px`);
    this.live = make('div', { class: 'sv-live', 'aria-live': 'polite' });
    this.bars = payload.words.map((word, index) => this.bar(word, index));
    const row = make('div', { class: 'sv-weights', role: 'group', 'aria-label': payload.texts.keys }, ...this.bars.map((bar) => bar.column));
    root.replaceChildren(row, this.live);
    this.draw();
  }

  bar(word, index) {
    const { texts, own } = this.data;
    const fillBar = make('div', { class: 'sv-weight-fill' });
    const ghost = make('div', { class: 'sv-weight-own', title: texts.own });
    ghost.style.bottom = `${100 * own[index]}%`;
    const track = make('div', {
      class: 'sv-weight-track', role: 'slider', tabindex: '0', 'aria-label': word, 'aria-valuemin': 0, 'aria-valuemax': 1,
    }, fillBar, ghost);
    const input = make('input', { type: 'number', min: 0, max: 1, step: 0.01, 'aria-label': `${texts.weight} ${word}` });
    const label = make('div', { class: 'sv-weight-name', title: word }, word);
    const column = make('div', { class: 'sv-weight' }, track, input, label);
    track.addEventListener('pointerdown', (event) => this.grab(event, index, track));
    track.addEventListener('keydown', (event) => this.key(event, index));
    input.addEventListener('change', () => {
      const value = Number(input.value);
      if (input.value === '' || !Number.isFinite(value)) this.draw();
      else this.set(index, value, true);
    });
    return { column, track, fillBar, input };
  }

  grab(event, index, track) {
    if (event.button) return;
    event.preventDefault();
    track.focus({ preventScroll: true });
    track.setPointerCapture(event.pointerId);
    const box = track.getBoundingClientRect();
    const move = (next) => this.set(index, (box.bottom - next.clientY) / box.height, false);
    const done = () => {
      track.removeEventListener('pointermove', move);
      this.send();
    };
    track.addEventListener('pointermove', move);
    track.addEventListener('pointerup', done, { once: true });
    track.addEventListener('pointercancel', done, { once: true });
    move(event);
  }

  key(event, index) {
    const now = this.weights[index];
    const next = {
      ArrowUp: now + STEP, ArrowDown: now - STEP, Home: 0, End: 1, PageUp: now + 4 * STEP, PageDown: now - 4 * STEP,
    }[event.key];
    if (next !== undefined) this.set(index, next, true);
    else if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
      this.bars[clamp(index + (event.key === 'ArrowRight' ? 1 : -1), 0, this.bars.length - 1)].track.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  set(index, value, sends) {
    this.weights = renormalised(this.weights, index, value);
    this.draw();
    this.live.textContent = `${this.data.words[index]}: ${this.weights[index].toFixed(2)}`;
    if (sends) this.send();
  }

  draw() {
    this.bars.forEach(({ track, fillBar, input }, index) => {
      const weight = this.weights[index];
      fillBar.style.height = `${100 * weight}%`;
      track.setAttribute('aria-valuenow', weight.toFixed(3));
      input.value = weight.toFixed(2);
    });
  }

  // Keys come fast: only where the reader rests the translation is made anew.
  send() {
    clearTimeout(this.sender);
    this.sender = setTimeout(() => this.onWeights([...this.weights]), 350);
  }

  destroy() {
    clearTimeout(this.sender);
  }
}

/** Makes the row in `root`. */
export function hydrate(root, options) {
  return new WeightRow(root, options);
}

const rows = new WeakMap();

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector('.sv-mount');
  root.classList.toggle('sv-dark', isDark(root));
  const onWeights = (weights) => setTriggerValue('weights', weights);
  const entry = rows.get(parentElement);
  if (entry && entry.id === data.payload.id) {
    entry.row.onWeights = onWeights;
    return entry.release;
  }
  const focused = entry ? entry.row.bars.findIndex((bar) => bar.track === (parentElement.activeElement ?? document.activeElement)) : -1;
  entry?.release();
  const row = hydrate(root, { payload: data.payload, onWeights });
  if (focused >= 0) row.bars[focused]?.track.focus({ preventScroll: true });
  const release = () => {
    row.destroy();
    rows.delete(parentElement);
  };
  rows.set(parentElement, { id: data.payload.id, row, release });
  return release;
}
