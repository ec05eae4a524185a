// Curves over one axis of steps: a rule and the numbers of the step under the pointer or the arrow keys, in all panels
// at once. A plain ES module without dependencies; the picture comes from Python and is exchanged while a run goes on,
// the reader's step stays. The default export is a Streamlit component; `hydrate` serves plain pages.

const NARROW_BELOW = 620;

function toPixel(scale, value) {
  const map = scale.log ? Math.log : (v) => v;
  const share = (map(value) - map(scale.low)) / (map(scale.high) - map(scale.low));
  return scale.start + share * (scale.end - scale.start);
}

function toValue(scale, pixel) {
  const share = Math.min(Math.max((pixel - scale.start) / (scale.end - scale.start), 0), 1);
  if (!scale.log) return scale.low + share * (scale.high - scale.low);
  return Math.exp(Math.log(scale.low) + share * (Math.log(scale.high) - Math.log(scale.low)));
}

// The index of the drawn step nearest to `step`; -1 where the variant has none that near.
function nearest(steps, step) {
  if (!steps.length || step < steps[0] - 0.5) return -1;
  let [low, high] = [0, steps.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (steps[middle] <= step) low = middle;
    else high = middle;
  }
  const index = Math.abs(steps[high] - step) < Math.abs(steps[low] - step) ? high : low;
  const gap = steps.length > 1 ? (steps.at(-1) - steps[0]) / steps.length : 1;
  return step > steps.at(-1) + Math.max(gap, 1) ? -1 : index;
}

class Curves {
  constructor(root, { svg, payload }) {
    this.root = root;
    this.step = null;
    this.wide = svg || root.querySelector('svg').outerHTML;
    this.data = payload;
    this.holder = make('div', { class: 'sv-curves' });
    this.tip = make('div', { class: 'sv-tip', hidden: '' });
    this.live = make('div', { class: 'sv-live', 'aria-live': 'polite' });
    this.stage = make('div', { class: 'sv-stage', tabindex: '0', role: 'group' }, this.holder);
    root.replaceChildren(this.stage, this.tip, this.live);
    this.stage.addEventListener('pointermove', (event) => this.point(event));
    this.stage.addEventListener('pointerdown', (event) => this.point(event));
    this.stage.addEventListener('pointerleave', () => this.show(null));
    this.stage.addEventListener('blur', () => this.show(null));
    this.stage.addEventListener('keydown', (event) => this.key(event));
    this.observer = new ResizeObserver(() => this.fit());
    this.observer.observe(root);
    this.draw();
  }

  update({ svg, payload }) {
    this.wide = svg;
    this.data = payload;
    this.draw();
  }

  isNarrow() {
    return this.root.clientWidth > 0 && this.root.clientWidth < NARROW_BELOW;
  }

  fit() {
    if (this.narrow !== this.isNarrow()) this.draw();
  }

  draw() {
    this.narrow = this.isNarrow();
    this.geometry = this.narrow ? this.data.narrowGeometry : this.data.geometry;
    this.holder.innerHTML = this.narrow ? this.data.narrow : this.wide;
    this.svg = this.holder.querySelector('svg');
    this.svg.removeAttribute('width');
    this.svg.removeAttribute('height');
    this.svg.style.width = '100%';
    this.svg.style.display = 'block';
    this.stage.setAttribute('aria-label', this.data.texts.keys);
    this.root.style.setProperty('--sv-size', `${Math.max(this.data.fontSize, 14)}px`);
    this.rule = document.createElementNS(SVG, 'path');
    this.rule.setAttribute('class', 'sv-frame');
    this.rule.setAttribute('visibility', 'hidden');
    this.svg.append(this.rule);
    this.show(this.step, true);
  }

  lastStep() {
    return Math.max(1, ...this.data.variants.map((one) => one.steps.at(-1) || 1));
  }

  point(event) {
    const box = this.svg.getBoundingClientRect();
    const pixel = ((event.clientX - box.left) * this.geometry.width) / box.width;
    const { x } = this.geometry;
    if (pixel < x.start - 8 || pixel > x.end + 8) return this.show(null);
    this.show(Math.min(Math.round(toValue(x, pixel)), this.lastStep()));
  }

  key(event) {
    const stride = event.shiftKey ? 50 : 1;
    const moves = { ArrowLeft: -stride, ArrowRight: stride };
    let step = this.step ?? this.lastStep();
    if (event.key in moves) step += moves[event.key];
    else if (event.key === 'Home') step = 1;
    else if (event.key === 'End') step = this.lastStep();
    else if (event.key === 'Escape') step = null;
    else return;
    event.preventDefault();
    this.show(step === null ? null : Math.min(Math.max(step, 1), this.lastStep()));
    this.live.textContent = this.tip.hidden ? '' : this.tip.innerText;
  }

  show(step) {
    this.step = step;
    const hidden = step === null;
    this.tip.hidden = hidden;
    this.rule.setAttribute('visibility', hidden ? 'hidden' : 'visible');
    if (hidden) return;
    const { x, panels, width } = this.geometry;
    const place = toPixel(x, Math.max(step, x.low));
    this.rule.setAttribute('d', panels.map((p) => `M${place} ${p.top}v${p.height}`).join(''));
    this.tip.replaceChildren(make('div', { class: 'sv-h' }, this.data.texts.step.replace('{step}', step)), this.table(step));
    const box = this.root.getBoundingClientRect();
    const scale = box.width / width;
    const wide = this.tip.offsetWidth;
    const right = place * scale + 14;
    this.tip.style.left = `${Math.max(4, right + wide > box.width - 4 ? place * scale - wide - 14 : right)}px`;
    this.tip.style.top = `${panels[0].top * scale + 8}px`;
  }

  table(step) {
    const { texts, variants } = this.data;
    const body = make('table');
    for (const one of variants) {
      const index = nearest(one.steps, step);
      if (index < 0) continue;
      const swatch = make('span', { class: 'sv-swatch' });
      swatch.style.background = `var(--sv-k${one.colour})`;
      const found = one.steps[index] === step ? one.name : `${one.name} (${one.steps[index]})`;
      body.append(make('tr', {}, make('td', { colspan: '2' }, swatch, make('b', {}, found))));
      const names = one.clips ? ['loss', 'grad_norm', 'update_norm', 'clipped_share'] : ['loss', 'grad_norm'];
      for (const name of names) {
        body.append(make('tr', {}, make('td', { class: 'sv-m' }, texts[name]), make('td', {}, one[name][index])));
      }
    }
    return body;
  }

  destroy() {
    this.observer.disconnect();
  }
}

/** Makes the curves live. `root` holds the SVG, or gets `svg`. */
export function hydrate(root, options) {
  return new Curves(root, options);
}

const shown = new WeakMap();

export default function (component) {
  const { data, parentElement } = component;
  const root = parentElement.querySelector('.sv-mount');
  root.classList.toggle('sv-dark', isDark(root));
  const entry = shown.get(parentElement);
  if (entry) {
    entry.update({ svg: data.svg, payload: data.payload });
  } else {
    shown.set(parentElement, hydrate(root, { svg: data.svg, payload: data.payload }));
  }
  return () => {
    shown.get(parentElement)?.destroy();
    shown.delete(parentElement);
  };
}
