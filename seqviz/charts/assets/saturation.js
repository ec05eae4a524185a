// Scatters of saturated gates whose thresholds the reader drags: every dot follows from the unit's counts, which travel
// once. A plain ES module without dependencies; layout, sentences and counts come from Python. The default export is a
// Streamlit component; `hydrate` serves plain pages.

const BINS = 100;
const SEND_MS = 250;
const REACH = 16;
const NARROW_BELOW = 560;
const WIDE_FROM = 900;

async function inflated(base64) {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Counts of each unit in hundredths, added up: entry b of a unit is the number of steps below b/100.
export function sums(bytes, start, units, total) {
  const found = new Uint32Array(units * (BINS + 1));
  for (let unit = 0; unit < units; unit += 1) {
    let sum = 0;
    for (let bin = 0; bin < BINS; bin += 1) {
      const at = start + unit * BINS + bin;
      sum += bytes[at] + 256 * bytes[total + at];
      found[unit * (BINS + 1) + bin + 1] = sum;
    }
  }
  return found;
}

class Saturation {
  constructor(root, { svg, payload, limits, onLimits, onUnit }) {
    this.root = root;
    this.data = payload;
    this.onLimits = onLimits || (() => {});
    this.onUnit = onUnit || null;
    this.left = limits?.left ?? payload.left;
    this.right = limits?.right ?? payload.right;
    this.holder = make('div', { class: 'sv-saturation' });
    this.holder.innerHTML = svg || root.querySelector('svg').outerHTML;
    this.svg = this.holder.querySelector('svg');
    this.tip = make('div', { class: 'sv-tip' });
    this.tip.hidden = true;
    this.live = make('div', { class: 'sv-live', 'aria-live': 'polite' });
    this.hint = make('div', { class: 'sv-hint' }, payload.texts.keys);
    this.stage = make(
      'div',
      { class: 'sv-stage', tabindex: '0', role: 'group', 'aria-label': this.svg.getAttribute('aria-label') },
      this.holder, this.tip,
    );
    root.style.setProperty('--sv-size', `${payload.fontSize}px`);
    root.replaceChildren(this.bar(), this.stage, this.hint, this.live);
    this.stage.addEventListener('pointermove', (event) => this.point(event));
    this.stage.addEventListener('pointerleave', () => this.show(null));
    this.stage.addEventListener('click', (event) => this.click(event));
    this.stage.addEventListener('keydown', (event) => this.key(event));
    this.stage.addEventListener('blur', () => this.show(null));
    this.observer = new ResizeObserver(() => this.fit());
    this.observer.observe(root);
    this.fit();
    this.ready = inflated(payload.counts).then((bytes) => this.load(bytes));
  }

  bar() {
    const { texts, ranges } = this.data;
    const bar = make('div', { class: 'sv-bar sv-plain' });
    this.inputs = {};
    this.outputs = {};
    ['left', 'right'].forEach((name, index) => {
      const [min, max] = ranges[index];
      const input = make('input', { type: 'range', min, max, step: 0.01, 'data-limit': name, 'aria-label': texts[name] });
      const output = make('output', { class: 'sv-number' });
      input.addEventListener('input', () => {
        this[name] = Number(input.value);
        this.draw();
        this.send();
      });
      Object.assign(this.inputs, { [name]: input });
      Object.assign(this.outputs, { [name]: output });
      bar.append(make('label', { class: 'sv-slider' }, make('span', {}, texts[name]), output, input));
    });
    return bar;
  }

  load(bytes) {
    const units = this.data.panels.flatMap((panel) => panel.layers.map((layer) => layer.units));
    const total = units.reduce((sum, count) => sum + count, 0) * BINS;
    let start = 0;
    for (const panel of this.data.panels) {
      for (const layer of panel.layers) {
        layer.sums = sums(bytes, start, layer.units, total);
        start += layer.units * BINS;
      }
    }
    this.data.panels.forEach((panel, number) => this.populate(panel, number));
    this.draw();
    this.root.dataset.ready = 'true';
  }

  populate(panel, number) {
    const { geometry } = this.data;
    panel.group = this.svg.querySelector(`[data-panel="${number}"]`);
    panel.part = (name) => panel.group.querySelector(`[data-p="${name}"]`);
    const dots = panel.part('dots');
    dots.replaceChildren();
    panel.layers.forEach((layer, index) => {
      const group = document.createElementNS(SVG, 'g');
      group.setAttribute('class', `k${index % geometry.categories}`);
      group.setAttribute('fill-opacity', '0.45');
      layer.circles = Array.from({ length: layer.units }, () => {
        const circle = document.createElementNS(SVG, 'circle');
        circle.setAttribute('r', geometry.radius);
        return circle;
      });
      group.append(...layer.circles);
      dots.append(group);
    });
    panel.ring = document.createElementNS(SVG, 'circle');
    panel.ring.setAttribute('class', 'sv-mark');
    panel.ring.setAttribute('r', geometry.radius * 2.1);
    panel.ring.setAttribute('visibility', 'hidden');
    panel.group.append(panel.ring);
  }

  // Shares of steps of every unit of a layer for the thresholds of now.
  shares(layer, steps) {
    const low = Math.round(this.left * BINS);
    const high = Math.round(this.right * BINS);
    const below = new Float64Array(layer.units);
    const above = new Float64Array(layer.units);
    for (let unit = 0; unit < layer.units; unit += 1) {
      const at = unit * (BINS + 1);
      below[unit] = layer.sums[at + low] / steps;
      above[unit] = (steps - layer.sums[at + high]) / steps;
    }
    return { below, above };
  }

  draw() {
    const { geometry, texts, panels, runs } = this.data;
    const { x, y, side } = geometry;
    for (const name of ['left', 'right']) {
      this.inputs[name].value = this[name];
      this.outputs[name].textContent = this[name].toFixed(2);
    }
    const said = [];
    for (const panel of panels) {
      if (!panel.group) continue;
      let [shut, open, units] = [0, 0, 0];
      for (const layer of panel.layers) {
        Object.assign(layer, this.shares(layer, runs[panel.run].steps));
        units += layer.units;
        layer.circles.forEach((circle, unit) => {
          circle.setAttribute('cx', (x + side * layer.above[unit]).toFixed(1));
          circle.setAttribute('cy', (y + side * (1 - layer.below[unit])).toFixed(1));
          shut += layer.below[unit] > 0.5;
          open += layer.above[unit] > 0.5;
        });
      }
      panel.part('below').textContent = fill(texts.below, { limit: this.left.toFixed(2) });
      panel.part('above').textContent = fill(texts.above, { limit: this.right.toFixed(2) });
      const words = fill(texts.says, { units, shut, open });
      panel.part('says').textContent = words;
      said.push(`${panel.title}: ${words}`);
    }
    this.said = said.join('. ');
    this.stage.setAttribute('aria-label', this.said);
    this.show(this.shown);
  }

  send() {
    clearTimeout(this.sender);
    this.sender = setTimeout(() => {
      this.live.textContent = this.said;
      this.onLimits({ left: this.left, right: this.right });
    }, SEND_MS);
  }

  /** Thresholds from outside: a link was opened, or back was pressed. */
  receive(limits) {
    if (!limits || (limits.left === this.left && limits.right === this.right)) return;
    clearTimeout(this.sender);
    this.left = limits.left;
    this.right = limits.right;
    this.draw();
  }

  // ---- layout: the panels of a run in one row, in two columns, or below each other

  fit() {
    const room = this.root.clientWidth;
    const { geometry, panels, runs } = this.data;
    const most = Math.max(...runs.map((_, run) => panels.filter((panel) => panel.run === run).length), 1);
    const columns = room && room < NARROW_BELOW ? 1 : room && room < WIDE_FROM ? Math.min(2, most) : most;
    if (columns !== this.columns) {
      this.columns = columns;
      let top = 0;
      runs.forEach((run, index) => {
        const heading = this.svg.querySelector(`[data-run="${index}"]`);
        if (heading) heading.setAttribute('y', top + geometry.heading * 0.7);
        top += geometry.heading;
        const own = panels.map((panel, number) => ({ panel, number })).filter(({ panel }) => panel.run === index);
        own.forEach(({ number }, at) => {
          const place = [(at % columns) * geometry.width, top + Math.floor(at / columns) * geometry.height];
          this.svg.querySelector(`[data-panel="${number}"]`).setAttribute('transform', `translate(${place[0]} ${place[1]})`);
        });
        top += Math.ceil(own.length / columns) * geometry.height;
      });
      const [width, height] = [columns * geometry.width, top];
      this.svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
      const background = this.svg.querySelector('rect.bg');
      background.setAttribute('width', width);
      background.setAttribute('height', height);
      this.svg.removeAttribute('width');
      this.svg.removeAttribute('height');
      Object.assign(this.svg.style, { width: '100%', display: 'block', maxWidth: `${1.2 * width}px` });
    }
  }

  // ---- pointing

  nearest(event) {
    for (const panel of this.data.panels) {
      if (!panel.group || !panel.layers[0].below) continue;
      const matrix = panel.group.getScreenCTM().inverse();
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix);
      const { x, y, side } = this.data.geometry;
      if (at.x < x - REACH || at.x > x + side + REACH || at.y < y - REACH || at.y > y + side + REACH) continue;
      let best = null;
      let distance = REACH * REACH;
      panel.layers.forEach((layer, index) => {
        for (let unit = 0; unit < layer.units; unit += 1) {
          const dx = x + side * layer.above[unit] - at.x;
          const dy = y + side * (1 - layer.below[unit]) - at.y;
          const found = dx * dx + dy * dy;
          if (found < distance) {
            distance = found;
            best = { panel, layer: index, unit };
          }
        }
      });
      return best;
    }
    return null;
  }

  point(event) {
    // A pointer that rests must not take the mark away from the keys when the page moves below it.
    if (event.clientX === this.resting?.x && event.clientY === this.resting?.y) return;
    this.resting = { x: event.clientX, y: event.clientY };
    this.show(this.nearest(event));
  }

  // A unit is marked in every gate of its model at once.
  show(dot) {
    this.shown = dot;
    const { geometry, panels, runs, texts } = this.data;
    for (const panel of panels) {
      if (!panel.ring) continue;
      const layer = dot && panel.run === dot.panel.run
        && panel.layers.find((one) => one.place === dot.panel.layers[dot.layer].place);
      panel.ring.setAttribute('visibility', layer ? 'visible' : 'hidden');
      if (!layer) continue;
      panel.ring.setAttribute('cx', geometry.x + geometry.side * layer.above[dot.unit]);
      panel.ring.setAttribute('cy', geometry.y + geometry.side * (1 - layer.below[dot.unit]));
    }
    this.tip.hidden = !dot;
    this.stage.style.cursor = dot && this.onUnit ? 'pointer' : '';
    if (!dot) return;
    const layer = dot.panel.layers[dot.layer];
    const percent = (share) => `${(100 * share).toFixed(1)} %`;
    const title = `${fill(texts.unit, { unit: dot.unit })}, ${layer.name}`;
    const lines = [[`< ${this.left.toFixed(2)}`, layer.below], [`> ${this.right.toFixed(2)}`, layer.above]];
    this.tip.replaceChildren(
      make('div', { class: 'sv-h' }, [runs[dot.panel.run].name, dot.panel.title].filter(Boolean).join(' · ')),
      make('div', {}, title),
      ...lines.map(([name, shares]) => make('div', { class: 'sv-v' }, make('span', {}, name), make('code', {}, percent(shares[dot.unit])))),
    );
    const stage = this.stage.getBoundingClientRect();
    const ring = dot.panel.ring.getBoundingClientRect();
    const tip = this.tip.getBoundingClientRect();
    const x = ring.right - stage.left + 8;
    this.tip.style.left = `${clamp(x + tip.width > stage.width ? ring.left - stage.left - tip.width - 8 : x, 0, Math.max(stage.width - tip.width, 0))}px`;
    this.tip.style.top = `${clamp(ring.top - stage.top - tip.height - 6, 0, Math.max(stage.height - tip.height, 0))}px`;
  }

  click(event) {
    const dot = this.nearest(event);
    if (dot) this.choose(dot);
  }

  choose(dot) {
    if (!this.onUnit) return;
    const place = `${dot.panel.layers[dot.layer].place}.${dot.unit}`;
    this.onUnit({ run: dot.panel.run, gate: dot.panel.gate, place });
  }

  // ---- keys

  key(event) {
    const panels = this.data.panels.filter((panel) => panel.ring);
    if (!panels.length) return;
    const now = this.shown || { panel: panels[0], layer: 0, unit: 0 };
    const index = panels.indexOf(now.panel);
    if (event.key === 'Enter') {
      if (this.shown) this.choose(this.shown);
    } else if (event.key === 'Escape') {
      this.show(null);
    } else if (event.key === 'PageUp' || event.key === 'PageDown') {
      const next = panels[clamp(index + (event.key === 'PageUp' ? -1 : 1), 0, panels.length - 1)];
      this.show({ ...now, panel: next, layer: Math.min(now.layer, next.layers.length - 1) });
    } else if (event.key.startsWith('Arrow')) {
      this.show(this.shown ? this.neighbour(now, event.key) : now);
    } else {
      return;
    }
    event.preventDefault();
    if (this.shown) this.live.textContent = this.tip.textContent;
  }

  // The next dot to the right or left, above or below; of dots at one place by layer and unit.
  neighbour(dot, key) {
    const across = key === 'ArrowRight' || key === 'ArrowLeft';
    const all = dot.panel.layers.flatMap((layer, index) =>
      Array.from({ length: layer.units }, (_, unit) => ({
        panel: dot.panel, layer: index, unit, value: across ? layer.above[unit] : layer.below[unit],
      })));
    all.sort((a, b) => a.value - b.value || a.layer - b.layer || a.unit - b.unit);
    const at = all.findIndex((one) => one.layer === dot.layer && one.unit === dot.unit);
    return all[clamp(at + (key === 'ArrowRight' || key === 'ArrowUp' ? 1 : -1), 0, all.length - 1)];
  }

  destroy() {
    clearTimeout(this.sender);
    this.observer.disconnect();
  }
}

/** Makes the scatters live. `root` holds the SVG, or gets `svg`. */
export function hydrate(root, options) {
  return new Saturation(root, options);
}

// ---- as a Streamlit component; the page's thresholds come as an event from a small component of its own

const pictures = new WeakMap();

export default function (component) {
  const { data, parentElement, setStateValue, setTriggerValue } = component;
  const root = parentElement.querySelector('.sv-mount');
  root.classList.toggle('sv-dark', isDark(root));
  const onLimits = (limits) => setStateValue('limits', limits);
  const onUnit = (unit) => setTriggerValue('unit', unit);
  const entry = pictures.get(parentElement);
  if (entry && entry.id === data.payload.id) {
    Object.assign(entry.picture, { onLimits, onUnit });
    return entry.release;
  }
  entry?.release();
  const limits = globalThis.seqvizFocus?.get(data.key);
  const picture = hydrate(root, { svg: data.svg, payload: data.payload, limits, onLimits, onUnit });
  const listener = ({ detail }) => detail.key === data.key && picture.receive(detail.focus);
  globalThis.addEventListener('seqviz-focus', listener);
  const release = () => {
    globalThis.removeEventListener('seqviz-focus', listener);
    picture.destroy();
    pictures.delete(parentElement);
  };
  pictures.set(parentElement, { id: data.payload.id, picture, release });
  return release;
}
