// Lets the numbers of one unit flow through the figure of its cell, on top of common.js. The drawing is complete; a step
// changes widths, colours, gauges and numbers by the rules of seqviz/charts/gate_cell.py.

function minus(text) {
  return text.replace(/-/g, '\u2212');
}

// As `chip_number` in Python.
function chipNumber(value) {
  const text = minus(value.toFixed(Math.abs(value) < 100 ? 2 : 0));
  return /[1-9]/.test(text) ? text : text.replace('\u2212', '');
}

function superscript(power) {
  return minus(String(power)).replace(/[\u2212\d]/g, (char) => (char === '\u2212' ? '\u207b' : '\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079'[Number(char)]));
}

function scientific(value) {
  const [mantissa, power] = value.toExponential(2).split('e');
  return `${minus(mantissa)} \u00b7 10${superscript(Number(power))}`;
}

// Four digits; tiny numbers as powers of ten, a gate that is nearly 1 as its distance from 1.
function longNumber(value) {
  if (value !== 0 && Math.abs(value) < 1e-3) return scientific(value);
  if (value !== 1 && value.toFixed(4) === '1.0000') return `1 \u2212 ${scientific(1 - value)}`;
  return minus(value.toFixed(4));
}

class CellPicture extends Stepper {
  constructor(root, { svg, payload, focus, ...listeners }) {
    super(root, payload, listeners);
    this.reduced = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.takeApart(svg);
    this.makeToolbar();
    this.listen();
    this.begin(focus);
  }

  takeApart(markup) {
    const whole = drawingIn(this.root, markup);
    const { data } = this;
    this.whole = whole;
    this.size = data.size;
    const [width, height] = data.diagram;
    const [left, column, trackHeight] = data.track;
    const trackWidth = left + column * data.steps + 12;
    const take = (selector) => {
      const group = whole.querySelector(selector);
      this.shifts.set(group, group.getAttribute('transform'));
      group.removeAttribute('transform');
      return group;
    };
    this.shifts = new Map();
    this.drawing = part('sv-cell', [0, 0, width, height], take('.sv-diagram'));
    this.drawing.setAttribute('role', 'img');
    this.drawing.setAttribute('aria-label', whole.getAttribute('aria-label'));
    this.body = part('sv-steps', [left, 0, trackWidth - left, trackHeight], take('.sv-body'));
    this.labels = part('sv-stick', [0, 0, left, trackHeight], take('.sv-labels'));
    this.foot = part('sv-legend', [0, 0, width, data.foot], take('.sv-foot'));
    for (const hidden of [this.body, this.labels, this.foot]) hidden.setAttribute('aria-hidden', 'true');
    this.parts = [this.drawing, this.body, this.labels, this.foot];
    this.top = scrolling(this.drawing);
    this.scroller = scrolling(this.labels, this.body);
    setStage(this, ' sv-flow', this.top, this.scroller, scrolling(this.foot));
    const all = (name) => [...this.drawing.querySelectorAll(`[data-${name}]`)].map((each) => [each, each.dataset[name]]);
    this.lines = all('line');
    this.casings = all('casing');
    this.peepholes = all('peephole');
    this.heads = all('head');
    this.gauges = all('gauge');
    this.chips = all('chip');
    this.token = this.drawing.querySelector('[data-token]');
    this.band = this.body.querySelector('.sv-band');
    this.frame = this.body.querySelector('.sv-frame');
    this.hover = this.body.querySelector('.sv-hover');
  }

  resize() {
    const room = this.root.clientWidth;
    if (!room) return;
    const { data } = this;
    const least = data.fontSize >= 16 ? 16 / (data.fontSize - 2) : 0.72;
    this.scale = clamp(room / data.diagram[0], Math.min(least, 1), data.fontSize >= 16 ? 1.2 : 1.45);
    for (const part of this.parts) {
      part.setAttribute('width', part.dataset.width * this.scale);
      part.setAttribute('height', part.dataset.height * this.scale);
    }
  }

  listen() {
    this.observer = new ResizeObserver(() => this.resize());
    this.resize();
    this.observer.observe(this.root);
    this.scroller.onscroll = () => {
      this.scroller.classList.toggle('sv-scrolled', this.scroller.scrollLeft > 1);
      this.leave();
    };
    this.drawing.onpointermove = (event) => this.pointAtLine(event);
    this.drawing.onclick = (event) => this.pointAtLine(event);
    this.drawing.onpointerleave = () => this.leave();
    this.body.onpointermove = (event) => event.pointerType !== 'touch' && this.pointAtStep(event);
    this.body.onpointerleave = () => this.leave();
    this.body.onclick = (event) => {
      const step = this.stepAt(event);
      this.stop();
      if (step !== null) this.userMoves({ step });
      this.stage.focus({ preventScroll: true });
    };
    this.root.onkeydown = (event) => this.key(event);
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const onSlider = event.target === this.slider;
    const { step } = this.focus;
    const steps = { ArrowLeft: step - 1, ArrowRight: step + 1, Home: 0, End: this.data.steps - 1 };
    if (event.key === ' ' && event.target.tagName !== 'BUTTON') this.togglePlay();
    else if (event.key === 'Escape') this.leave();
    else if (event.key in steps && !onSlider) this.userMoves({ step: steps[event.key] });
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  within(focus) {
    return { ...this.data.focus, step: clamp(Math.trunc(focus.step) || 0, 0, this.data.steps - 1) };
  }

  // ---- a step

  show(focus, { quietly = false, instantly = false }) {
    const before = this.focus;
    this.focus = focus;
    const { data } = this;
    const { step } = focus;
    for (const [line, name] of this.lines) {
      line.setAttribute('class', `fl ${this.colour(name, step)}`);
      line.setAttribute('stroke-width', this.width(name, step));
    }
    for (const [line, name] of this.casings) line.setAttribute('stroke-width', this.width(name, step) + this.data.casing);
    for (const [line, name] of this.peepholes) line.setAttribute('class', `fl ps ${this.colour(name, step)}`);
    for (const [head, name] of this.heads) head.setAttribute('class', `hs ${this.colour(name, step).toUpperCase()}`);
    for (const [gauge, name] of this.gauges) this.fillGauge(gauge, name, step);
    for (const [chip, name] of this.chips) chip.textContent = chipNumber(data.values[name][step]);
    const token = data.tokens[step];
    this.token.textContent = `\u2018${token}\u2019`;
    const x = data.track[0] + step * data.track[1];
    this.band.setAttribute('transform', `translate(${x} 0)`);
    this.frame.setAttribute('transform', `translate(${x} 0)`);
    this.slider.value = step + 1;
    const where = fill(data.texts.step, { step: step + 1, steps: data.steps });
    this.now.replaceChildren(`${where}: `, make('b', {}, `\u2018${token}\u2019`));
    this.slider.setAttribute('aria-valuetext', `${where}: ${token}`);
    if (this.said) this.sayAt(this.said);
    if (!quietly) this.live.textContent = `${where}: ${token}`;
    if (!before || before.step !== step) this.reveal(step, instantly);
    if (!quietly) this.send();
  }

  width(name, step) {
    const [thinnest, widest] = this.data.widths;
    const share = Math.min(Math.abs(this.data.values[name][step]) / this.data.signals[name].limit, 1);
    return Number((thinnest + (widest - thinnest) * share).toFixed(2));
  }

  colour(name, step) {
    const { kind, limit } = this.data.signals[name];
    const value = this.data.values[name][step];
    if (kind === 'share') return `s${Math.floor(clamp(value, 0, 1) * 20 + 0.5)}`;
    const { half } = this.data;
    const scaled = clamp(value / limit, -1, 1) * half;
    return `d${Math.sign(scaled) * Math.floor(Math.abs(scaled) + 0.5) + half}`;
  }

  fillGauge(gauge, name, step) {
    const { kind, limit } = this.data.signals[name];
    const value = this.data.values[name][step];
    const [y, height] = [Number(gauge.dataset.y), Number(gauge.dataset.h)];
    const reach = kind === 'share' ? height * value : (height / 2) * Math.min(Math.abs(value) / limit, 1);
    const top = kind === 'share' ? y + height - reach : value >= 0 ? y + height / 2 - reach : y + height / 2;
    gauge.setAttribute('y', top);
    gauge.setAttribute('height', reach);
    gauge.setAttribute('class', this.colour(name, step).toUpperCase());
  }

  // ---- hovering

  stepAt(event) {
    const box = this.body.getBoundingClientRect();
    const step = Math.floor((event.clientX - box.left) / this.scale / this.data.track[1]);
    return step >= 0 && step < this.data.steps ? step : null;
  }

  pointAtStep(event) {
    const step = this.stepAt(event);
    if (step === null) return;
    this.hover.setAttribute('transform', `translate(${this.data.track[0] + step * this.data.track[1]} 0)`);
    this.hover.setAttribute('visibility', 'visible');
    const { data } = this;
    const lines = [make('div', { class: 'sv-h' }, data.tokens[step])];
    const where = fill(data.texts.step, { step: step + 1, steps: data.steps });
    lines.push(make('div', { class: 'sv-m' }, where));
    for (const name of ['r', 'u', 'f', 'i', 'o', 'g', 'c', 'h']) {
      if (!data.signals[name]) continue;
      const value = make('code', {}, longNumber(data.values[name][step]));
      lines.push(make('div', { class: 'sv-v' }, make('span', {}, data.signals[name].name), value));
    }
    this.tip.replaceChildren(...lines);
    this.place(event);
  }

  pointAtLine(event) {
    const place = event.target.closest('[data-say]');
    if (!place || !this.data.signals[place.dataset.say]) {
      this.leave();
      return;
    }
    this.said = place.dataset.say;
    this.sayAt(this.said);
    this.place(event);
  }

  sayAt(name) {
    const signal = this.data.signals[name];
    this.tip.replaceChildren(
      make('div', { class: 'sv-h' }, signal.name),
      make('div', { class: 'sv-m' }, signal.symbol),
      make('div', {}, this.arithmetic(signal.says)),
    );
  }

  // Numbers in place of {signals}; a negative one behind an operator stands in brackets.
  arithmetic(says) {
    return says.replace(/\{([\w.]+)\}/g, (_, name, at) => {
      const text = longNumber(this.data.values[name][this.focus.step]);
      return /[·+−] $/.test(says.slice(0, at)) && /^\u2212/.test(text) ? `(${text})` : text;
    });
  }

  place(event) {
    const box = this.root.getBoundingClientRect();
    this.tip.hidden = false;
    const room = this.root.clientWidth;
    const left = event.clientX - box.left + 18;
    this.tip.style.left = `${clamp(left, 4, Math.max(4, room - this.tip.offsetWidth - 4))}px`;
    const below = event.clientY - box.top + 20;
    const over = event.clientY + this.tip.offsetHeight + 30 > innerHeight;
    this.tip.style.top = `${over ? Math.max(0, below - this.tip.offsetHeight - 36) : below}px`;
  }

  leave() {
    this.said = null;
    this.hover.setAttribute('visibility', 'hidden');
    this.tip.hidden = true;
  }

  // ---- downloads

  snapshot() {
    const dress = dresser();
    const copy = this.whole.cloneNode(true);
    const [width, height] = this.size;
    copy.setAttribute('viewBox', `0 0 ${width} ${height}`);
    const ground = copy.querySelector('.bg');
    ground.setAttribute('fill', getComputedStyle(this.labels.querySelector('.bg')).fill);
    ground.removeAttribute('class');
    copy.setAttribute('font-family', getComputedStyle(this.drawing).fontFamily);
    copy.removeAttribute('class');
    for (const part of this.parts.map((svg) => svg.firstElementChild)) {
      const dressed = part.cloneNode(true);
      dress(part, dressed);
      if (this.shifts.get(part)) dressed.setAttribute('transform', this.shifts.get(part));
      copy.append(dressed);
    }
    copy.querySelectorAll('[data-say][fill=none]').forEach((hit) => hit.remove());
    return new XMLSerializer().serializeToString(copy);
  }
}

/** Makes a figure live. `root` holds the SVG, or gets `svg`. Returns the picture: receive(focus), destroy(). */
export function hydrate(root, options) {
  return new CellPicture(root, options);
}
