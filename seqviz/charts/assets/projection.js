// A gradient of two components whose tip the reader drags: ball and box, both clipped vectors and their arithmetic
// follow at once. A plain ES module without dependencies; layout, templates and first numbers come from Python. The
// default export is a Streamlit component; `hydrate` serves plain pages.

const NARROW_BELOW = 560;
const SEND_MS = 400;

// Three digits behind the point; a power of ten, in Python's form, where the whole picture is of such numbers.
function shown(value, limit) {
  const plain = limit >= 0.05 && limit < 1e4;
  const text = plain ? value.toFixed(3) : value.toExponential(2).replace(/e([+-])(\d)$/, 'e$10$2');
  return text.replaceAll('-', '\u2212');
}

export function clipped([x, y], threshold, value) {
  const norm = Math.hypot(x, y);
  const factor = norm > 0 ? Math.min(1, threshold / norm) : 1;
  const byNorm = [factor * x, factor * y];
  const byValue = [clamp(x, -value, value), clamp(y, -value, value)];
  const cross = x * byValue[1] - y * byValue[0];
  const dot = x * byValue[0] + y * byValue[1];
  return { norm, factor, byNorm, byValue, angle: Math.abs((Math.atan2(cross, dot) * 180) / Math.PI) };
}

function arrow([dx, dy], center, head) {
  const length = Math.hypot(dx, dy);
  if (length < 0.5) return `M${center} ${center}`;
  const [ux, uy] = [dx / length, dy / length];
  const size = Math.min(head, length);
  const [x, y] = [center + dx, center + dy];
  const [bx, by] = [x - ux * size, y - uy * size];
  const w = size * 0.45;
  return `M${center} ${center}L${x} ${y}M${bx - uy * w} ${by + ux * w}L${x} ${y}L${bx + uy * w} ${by - ux * w}`;
}

class Projection {
  constructor(root, { svg, payload, onState }) {
    this.root = root;
    this.data = payload;
    this.onState = onState || (() => {});
    this.wide = svg || root.querySelector('svg').outerHTML;
    this.gradient = [...payload.gradient];
    this.threshold = payload.threshold;
    this.value = payload.valueThreshold;
    this.holder = make('div', { class: 'sv-projection' });
    this.live = make('div', { class: 'sv-live', 'aria-live': 'polite' });
    this.stage = make('div', { class: 'sv-stage', tabindex: '0', role: 'group', 'aria-label': payload.texts.keys }, this.holder);
    root.style.setProperty('--sv-size', `${Math.max(payload.fontSize, 14)}px`);
    root.replaceChildren(this.bar(), this.stage, this.live);
    this.stage.addEventListener('pointerdown', (event) => this.grab(event));
    this.stage.addEventListener('pointermove', (event) => this.dragging && this.drag(event));
    for (const name of ['pointerup', 'pointercancel']) {
      this.stage.addEventListener(name, () => {
        this.dragging = false;
      });
    }
    this.stage.addEventListener('keydown', (event) => this.key(event));
    this.observer = new ResizeObserver(() => this.fit());
    this.observer.observe(root);
    this.mount();
  }

  bar() {
    const bar = make('div', { class: 'sv-bar sv-plain' });
    for (const name of ['threshold', 'valueThreshold']) {
      const field = name === 'threshold' ? 'threshold' : 'value';
      const input = make('input', {
        type: 'range', min: this.data.limit / 100, max: this.data.limit, step: this.data.limit / 400,
      });
      input.value = this[field];
      const label = make('label', { class: 'sv-slider' }, make('span', {}, this.data.texts[name]), input);
      input.addEventListener('input', () => {
        this[field] = Number(input.value);
        this.draw();
      });
      bar.append(label);
    }
    return bar;
  }

  isNarrow() {
    return this.root.clientWidth > 0 && this.root.clientWidth < NARROW_BELOW;
  }

  fit() {
    if (this.narrow !== this.isNarrow()) this.mount();
  }

  mount() {
    this.narrow = this.isNarrow();
    this.geometry = this.narrow ? this.data.narrowGeometry : this.data.geometry;
    this.holder.innerHTML = this.narrow ? this.data.narrow : this.wide;
    this.svg = this.holder.querySelector('svg');
    this.svg.removeAttribute('width');
    this.svg.removeAttribute('height');
    // As large as the window has room for, but never so small that it cannot be read.
    const { width, height } = this.geometry;
    const room = `max(${width}px, min(${1.4 * width}px, (100vh - 345px) * ${width / height}))`;
    Object.assign(this.svg.style, { width: '100%', display: 'block', maxWidth: room });
    this.draw(true);
  }

  part(name) {
    return this.svg.querySelector(`[data-p="${name}"]`);
  }

  draw(quietly) {
    const { center, scale, head } = this.geometry;
    const [x, y] = this.gradient;
    const found = clipped(this.gradient, this.threshold, this.value);
    const pixel = ([a, b]) => [a * scale, -b * scale];
    const tip = pixel(this.gradient);
    this.part('gradient').setAttribute('d', arrow(tip, center, head));
    for (const [name, vector] of [['by_norm', found.byNorm], ['by_value', found.byValue]]) {
      const end = pixel(vector);
      this.part(name).setAttribute('d', arrow(end, center, head));
      const line = this.part(`to_${name}`);
      line.setAttribute('d', `M${center + tip[0]} ${center + tip[1]}L${center + end[0]} ${center + end[1]}`);
    }
    this.part('handle').setAttribute('cx', center + tip[0]);
    this.part('handle').setAttribute('cy', center + tip[1]);
    this.part('ball').setAttribute('r', this.threshold * scale);
    const box = this.part('box');
    const half = this.value * scale;
    for (const name of ['x', 'y']) box.setAttribute(name, center - half);
    for (const name of ['width', 'height']) box.setAttribute(name, 2 * half);
    const number = (value) => shown(value, this.data.limit);
    const values = {
      x: number(x), y: number(y), norm: number(found.norm), threshold: number(this.threshold),
      nx: number(found.byNorm[0]), ny: number(found.byNorm[1]), nn: number(Math.hypot(...found.byNorm)),
      value: number(this.value), vx: number(found.byValue[0]), vy: number(found.byValue[1]),
      vn: number(Math.hypot(...found.byValue)), factor: shown(found.factor, 1), angle: found.angle.toFixed(1),
    };
    for (const [name, template] of Object.entries(this.data.lines)) {
      this.part(`line-${name}`).textContent = fill(template, values);
    }
    if (quietly) return;
    clearTimeout(this.sender);
    this.sender = setTimeout(() => {
      this.live.textContent = [...this.svg.querySelectorAll('[data-p^="line-"]')].map((line) => line.textContent).join(' ');
      this.onState({ gradient: this.gradient, threshold: this.threshold, value: this.value });
    }, SEND_MS);
  }

  place(event) {
    const box = this.svg.getBoundingClientRect();
    const factor = this.geometry.width / box.width;
    return [(event.clientX - box.left) * factor, (event.clientY - box.top) * factor];
  }

  grab(event) {
    const [x, y] = this.place(event);
    const { center, plane } = this.geometry;
    if (Math.abs(x - center) > plane / 2 || Math.abs(y - center) > plane / 2) return;
    this.dragging = true;
    this.stage.setPointerCapture(event.pointerId);
    this.stage.focus({ preventScroll: true });
    event.preventDefault();
    this.drag(event);
  }

  drag(event) {
    const [x, y] = this.place(event);
    const { center, scale } = this.geometry;
    this.move((x - center) / scale, (center - y) / scale);
  }

  move(x, y) {
    const { limit } = this.data;
    this.gradient = [clamp(x, -limit, limit), clamp(y, -limit, limit)];
    this.draw();
  }

  key(event) {
    const stride = (this.data.limit / 50) * (event.shiftKey ? 5 : 1);
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    this.move(this.gradient[0] + move[0] * stride, this.gradient[1] + move[1] * stride);
  }

  destroy() {
    clearTimeout(this.sender);
    this.observer.disconnect();
  }
}

/** Makes the picture live. `root` holds the SVG, or gets `svg`. */
export function hydrate(root, options) {
  return new Projection(root, options);
}

const pictures = new WeakMap();

export default function (component) {
  const { data, parentElement, setStateValue } = component;
  const root = parentElement.querySelector('.sv-mount');
  root.classList.toggle('sv-dark', isDark(root));
  const onState = (state) => setStateValue('state', state);
  const entry = pictures.get(parentElement);
  if (entry && entry.svg === data.svg) {
    entry.picture.onState = onState;
    return entry.release;
  }
  entry?.release();
  const picture = hydrate(root, { svg: data.svg, payload: data.payload, onState });
  const release = () => {
    picture.destroy();
    pictures.delete(parentElement);
  };
  pictures.set(parentElement, { svg: data.svg, picture, release });
  return release;
}
