// Gives the unrolled network its hover, keys, tooltips and downloads, on top of common.js: it takes the finished SVG apart into a sticky part (row labels) and a scrolling part (steps) and moves a few marks;
// it never draws the picture itself.

// Rows of units that were divided by a power of two each, so that float32 can carry them.
function scaled(values, powers, units) {
  if (!powers) return values;
  return Float64Array.from(values, (value, i) => value * 2 ** powers[Math.floor(i / units)]);
}

// How far a bar reaches, from -1 to 1 of its scale; over powers of ten where the strip says so.
function strength(value, { code }) {
  if (!code) return value;
  if (!code.log) return value / (code.largest || 1);
  const height = (Math.log10(Math.abs(value)) - code.top) / code.decades + 1;
  return Math.sign(value) * clamp(height, 0, 1);
}

function scientific(value) {
  const size = Math.abs(value);
  if (size === 0) return '0';
  return size >= 0.01 && size < 100 ? String(Number(value.toPrecision(1))) : value.toExponential(0);
}

class Picture extends Stepper {
  constructor(root, { svg, payload, focus, ...listeners }) {
    super(root, payload, listeners);
    this.decoded = new Map();
    this.reduced = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.takeApart(svg);
    this.makeToolbar();
    this.listen();
    this.begin(focus);
  }

  // ---- structure

  takeApart(markup) {
    const whole = drawingIn(this.root, markup);
    const { data } = this;
    this.size = [Number(whole.getAttribute('width')), Number(whole.getAttribute('height'))];
    const bottom = data.bodyHeight;
    this.body = part('sv-steps', [data.label, 0, this.size[0] - data.label, bottom], whole.querySelector('.sv-body'));
    this.body.setAttribute('role', 'img');
    this.body.setAttribute('aria-label', whole.getAttribute('aria-label'));
    this.labels = part('sv-stick', [0, 0, data.label, bottom], whole.querySelector('.sv-labels'));
    this.labels.setAttribute('aria-hidden', 'true');
    this.foot = part('sv-legend', [0, bottom, this.size[0], this.size[1] - bottom], whole.querySelector('.sv-foot'));
    this.foot.setAttribute('aria-hidden', 'true');
    this.background = whole.querySelector(':scope > .bg');
    this.parts = [this.labels, this.body, this.foot];
    this.scroller = scrolling(this.labels, this.body);
    setStage(this, '', this.scroller, make('div', { class: 'sv-scroll' }, this.foot));
    const find = (selector) => this.body.querySelector(selector);
    this.band = find('.sv-band');
    this.frame = find('.sv-frame');
    this.hovered = [find('.sv-hover'), find('.sv-lens')];
    this.marks = [...this.body.querySelectorAll('.sv-mark')];
    this.rowMarks = [...this.body.querySelectorAll('.sv-row')];
    this.strips = data.panels.map((_, i) => this.stripElements(i));
  }

  stripElements(panel) {
    const pick = (part, role) => [...part.querySelectorAll(`[data-strip="${role}"]`)];
    const steps = this.data.panels.map((each) => each.tokens.length);
    const before = steps.slice(0, panel).reduce((sum, count) => sum + count, 0);
    return {
      zero: pick(this.body, 'zero')[panel],
      up: pick(this.body, 'up')[panel],
      down: pick(this.body, 'down')[panel],
      numbers: pick(this.body, 'number').slice(before, before + steps[panel]),
      unit: pick(this.labels, 'unit')[panel],
      where: pick(this.labels, 'where')[panel],
      quantity: pick(this.labels, 'quantity')[panel],
    };
  }

  resize() {
    const room = this.root.clientWidth;
    if (!room) return;
    const { data } = this;
    const natural = Math.min(this.size[0], data.roomWidth);
    // Presenter size: never below 16 pixels, and not so large that the network leaves the screen.
    const [least, most] = data.fontSize >= 16 ? [16 / data.small, 1.35] : [0.86, 1.6];
    this.scale = clamp(room / natural, Math.min(least, 1), most);
    for (const part of this.parts) {
      part.setAttribute('width', part.dataset.width * this.scale);
      part.setAttribute('height', part.dataset.height * this.scale);
    }
    this.scroller.classList.toggle('sv-scrolled', this.scroller.scrollLeft > 1);
  }

  // ---- what the user does

  listen() {
    this.observer = new ResizeObserver(() => {
      const before = this.scale;
      this.resize();
      if (this.focus && before !== this.scale) this.reveal(this.focus.step, true);
    });
    this.resize();
    this.observer.observe(this.root);
    this.scroller.onscroll = () => {
      this.scroller.classList.toggle('sv-scrolled', this.scroller.scrollLeft > 1);
      this.leave();
    };
    this.body.onpointermove = (event) => event.pointerType !== 'touch' && this.point(event);
    this.body.onpointerleave = () => this.leave();
    this.body.onclick = (event) => {
      this.stop();
      const place = this.placeAt(event);
      if (!place) return;
      this.userMoves(place.unit === undefined ? { step: place.step } : this.focusOf(place));
      if (event.pointerType === 'touch') this.point(event);
      this.stage.focus({ preventScroll: true });
    };
    this.root.onkeydown = (event) => this.key(event);
  }

  focusOf({ step, layer, direction, unit }) {
    return { step, layer, direction, unit };
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const onSlider = event.target === this.slider;
    const onButton = event.target.tagName === 'BUTTON';
    const { step } = this.focus;
    const moves = {
      ArrowLeft: { step: step - 1 },
      ArrowRight: { step: step + 1 },
      Home: { step: 0 },
      End: { step: this.data.steps - 1 },
    };
    if (event.key === ' ' && !onButton) this.togglePlay();
    else if (event.key === 'Escape') this.leave();
    else if (moves[event.key] && !onSlider) this.userMoves(moves[event.key]);
    else if (event.key === 'ArrowUp' && !onSlider) this.userMoves({ unit: this.neighbour(-1) });
    else if (event.key === 'ArrowDown' && !onSlider) this.userMoves({ unit: this.neighbour(1) });
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // The unit above or below in the heatmap's order.
  neighbour(offset) {
    const { heatmap } = this.data.panels[0];
    const { unit, layer, direction } = this.focus;
    if (!heatmap || heatmap.layer !== layer || heatmap.direction !== direction) return unit + offset;
    const place = clamp(heatmap.order.indexOf(unit) + offset, 0, heatmap.order.length - 1);
    return heatmap.order[place];
  }

  // ---- focus

  rowOf(panel, layer, direction, kind = this.data.kinds[0]) {
    return this.data.panels[panel].rows
      .map((index) => this.data.rows[index])
      .find((row) => row.kind === kind && row.layer === layer && row.direction === direction);
  }

  within(focus) {
    const row = this.rowOf(0, focus.layer, focus.direction) || this.data.rows.find((each) => each.kind === this.data.kinds[0]);
    return {
      step: clamp(Math.trunc(focus.step) || 0, 0, this.data.steps - 1),
      layer: row.layer,
      direction: row.direction,
      unit: clamp(Math.trunc(focus.unit) || 0, 0, row.units - 1),
    };
  }

  show(focus, { quietly = false, instantly = false }) {
    const before = this.focus;
    this.focus = focus;
    const { data } = this;
    const x = data.left + focus.step * data.column;
    this.band.setAttribute('transform', `translate(${x} 0)`);
    this.frame.setAttribute('transform', `translate(${x} 0)`);
    if (!before || before.unit !== focus.unit || before.layer !== focus.layer || before.direction !== focus.direction) {
      this.showUnit(focus);
    }
    this.slider.value = focus.step + 1;
    const token = this.tokenAt(focus.step);
    const where = fill(data.texts.step, { step: focus.step + 1, steps: data.steps });
    this.now.replaceChildren(`${where}: `, make('b', {}, `‘${token}’`));
    this.slider.setAttribute('aria-valuetext', `${where}: ${token}`);
    if (!quietly) this.live.textContent = `${where}: ${token}. ${fill(data.texts.unit, { unit: focus.unit })}`;
    if (!before || before.step !== focus.step) this.reveal(focus.step, instantly);
    if (!quietly) this.send();
  }

  tokenAt(step) {
    return [...new Set(this.data.panels.map((panel) => panel.tokens[step]).filter((token) => token !== undefined))].join(' / ');
  }

  showUnit({ layer, direction, unit }) {
    for (const mark of this.marks) {
      const row = this.data.rows[mark.dataset.row];
      const own = row.layer === layer && row.direction === direction && unit < row.units;
      mark.setAttribute('visibility', own ? 'visible' : 'hidden');
      const tile = Math.floor(unit / row.perTile);
      const x = (tile % row.columns) * row.tile;
      const y = row.y + Math.floor(tile / row.columns) * row.tile;
      if (own) mark.setAttribute('transform', `translate(${x} ${y})`);
    }
    this.data.panels.forEach((panel, number) => {
      const { heatmap } = panel;
      if (!heatmap) return; // the network alone
      const place = heatmap.layer === layer && heatmap.direction === direction ? heatmap.order.indexOf(unit) : -1;
      this.rowMarks[number].setAttribute('visibility', place < 0 ? 'hidden' : 'visible');
      if (place >= 0) {
        this.rowMarks[number].setAttribute('transform', `translate(0 ${heatmap.top + place * heatmap.rowHeight})`);
      }
      this.showStrip(number, { layer, direction, unit });
    });
  }

  showStrip(number, { layer, direction, unit }) {
    const { data } = this;
    const panel = data.panels[number];
    const { strip, heatmap } = panel;
    const elements = this.strips[number];
    const own = heatmap.layer === layer && heatmap.direction === direction;
    // A strip that stands alone knows its own layer only.
    const row = own || strip.alone ? null : this.rowOf(number, layer, direction);
    const values = own ? this.heatmapValues(number) : this.rowValues(row);
    const units = own ? heatmap.order.length : (row || { units: 0 }).units;
    const signed = own ? heatmap.signed : true;
    const scale = (signed ? strip.height / 2 : strip.height) / ((own ? strip.limit : strip.hiddenLimit) || 1);
    const digits = (value) => (strip.scientific ? scientific(value) : value.toFixed(strip.numbers));
    const zero = strip.top + (signed ? strip.height / 2 : strip.height);
    let up = '';
    let down = '';
    panel.tokens.forEach((_, step) => {
      const value = values && unit < units ? values[step * units + unit] : NaN;
      const x = data.left + (step + 0.5) * data.column - strip.width / 2;
      const bar = `M${x} ${zero}v${-strength(value, strip) * scale}h${strip.width}V${zero}Z`;
      if (value >= 0) up += bar;
      else if (value < 0) down += bar;
      elements.numbers[step].textContent = Number.isNaN(value) || !strip.numbers ? '' : digits(value).replaceAll('-', '\u2212');
    });
    elements.up.setAttribute('d', up || 'M0 0');
    elements.up.setAttribute('class', signed ? 'bp' : 'br');
    elements.down.setAttribute('d', down || 'M0 0');
    elements.zero.setAttribute('d', `M${data.left} ${zero}H${data.left + data.column * panel.tokens.length}`);
    elements.unit.textContent = (panel.letter ? `${panel.letter} · ` : '') + fill(data.texts.unit, { unit });
    elements.where.textContent = data.where[`${layer}.${direction}`];
    elements.quantity.textContent = data.texts.quantities[own || strip.alone ? heatmap.quantity : data.kinds[0]];
  }

  rowValues(row) {
    if (!row) return null;
    if (!this.decoded.has(row)) this.decoded.set(row, scaled(floats(row.values), row.scales, row.units));
    return this.decoded.get(row);
  }

  heatmapValues(number) {
    const { heatmap } = this.data.panels[number];
    if (heatmap.values === null) return this.rowValues(this.rowOf(number, heatmap.layer, heatmap.direction));
    if (!this.decoded.has(heatmap)) {
      this.decoded.set(heatmap, scaled(floats(heatmap.values), heatmap.scales, heatmap.order.length));
    }
    return this.decoded.get(heatmap);
  }

  reveal(step, instantly) {
    const { data, scroller, scale } = this;
    const fixed = data.label * scale;
    const left = (data.left + step * data.column) * scale;
    const width = data.column * scale;
    const room = scroller.clientWidth;
    const margin = Math.min(width, 60);
    let wanted = scroller.scrollLeft;
    if (left - margin < wanted + fixed) wanted = left - margin - fixed;
    if (left + width + margin > wanted + room) wanted = left + width + margin - room;
    if (step === 0) wanted = 0;
    if (wanted !== scroller.scrollLeft) {
      scroller.scrollTo({ left: wanted, behavior: instantly || this.reduced ? 'instant' : 'smooth' });
    }
  }

  // ---- hovering

  placeAt(event) {
    const { data } = this;
    const box = this.body.getBoundingClientRect();
    const x = data.label + (event.clientX - box.left) / this.scale;
    const y = (event.clientY - box.top) / this.scale;
    const step = Math.floor((x - data.left) / data.column);
    if (step < 0 || step >= data.steps) return null;
    const inside = (each) => each.ranges.some(([start, end]) => y >= start && y <= end);
    const panel = Math.max(0, data.panels.findIndex(inside));
    if (step >= data.panels[panel].tokens.length) return { panel, step };
    const inColumn = x - data.left - step * data.column;
    return { panel, step, ...this.unitAt(panel, inColumn, y) };
  }

  unitAt(panel, x, y) {
    const { rows, heatmap } = this.data.panels[panel];
    for (const index of rows) {
      const row = this.data.rows[index];
      const column = Math.floor((x - row.x) / row.tile);
      const line = Math.floor((y - row.y) / row.tile);
      const unit = (line * row.columns + column) * row.perTile;
      if (column >= 0 && column < row.columns && line >= 0 && line < row.rows && unit < row.units) {
        if (row.layer === undefined) return { row, component: unit };
        return { row, unit, layer: row.layer, direction: row.direction };
      }
    }
    if (!heatmap) return {};
    const line = Math.floor((y - heatmap.top) / heatmap.rowHeight);
    if (line < 0 || line >= heatmap.order.length) return {};
    return { heatmap, unit: heatmap.order[line], layer: heatmap.layer, direction: heatmap.direction };
  }

  point(event) {
    const place = this.placeAt(event);
    if (!place) {
      this.leave();
      return;
    }
    for (const part of this.hovered) {
      part.setAttribute('transform', `translate(${this.data.left + place.step * this.data.column} 0)`);
      part.setAttribute('visibility', 'visible');
    }
    this.fillTip(place);
    const box = this.root.getBoundingClientRect();
    this.tip.hidden = false;
    // Beside the column, so that what is pointed at stays visible.
    const room = this.root.clientWidth;
    const column = this.body.getBoundingClientRect().left - box.left + (this.data.left - this.data.label) * this.scale;
    const edge = column + place.step * this.data.column * this.scale;
    const right = edge + this.data.column * this.scale + 10;
    const left = right + this.tip.offsetWidth > room ? edge - this.tip.offsetWidth - 10 : right;
    this.tip.style.left = `${clamp(left, 4, Math.max(4, room - this.tip.offsetWidth - 4))}px`;
    const below = event.clientY - box.top + 16;
    const over = event.clientY + this.tip.offsetHeight + 24 > innerHeight;
    this.tip.style.top = `${over ? Math.max(0, below - this.tip.offsetHeight - 32) : below}px`;
  }

  leave() {
    for (const part of this.hovered) part.setAttribute('visibility', 'hidden');
    this.tip.hidden = true;
  }

  fillTip(place) {
    const { data } = this;
    const panel = data.panels[place.panel];
    const lines = [];
    const token = panel.tokens[place.step];
    const where = fill(data.texts.step, { step: place.step + 1, steps: panel.tokens.length });
    if (token === undefined) {
      this.tip.replaceChildren(make('div', { class: 'sv-m' }, '–'));
      return;
    }
    lines.push(make('div', { class: 'sv-h' }, token), make('div', { class: 'sv-m' }, where));
    if (panel.pieces[place.step] !== token) {
      lines.push(make('div', { class: 'sv-m' }, fill(data.texts.read_as, { piece: panel.pieces[place.step] })));
    }
    lines.push(...this.unitLines(place));
    for (const [name, text] of panel.lines?.[place.step] || []) {
      lines.push(make('div', { class: 'sv-v' }, make('span', {}, name), make('code', {}, text)));
    }
    if (panel.top) lines.push(this.outputTable(panel, place.step));
    this.tip.replaceChildren(...lines);
  }

  unitLines(place) {
    const { texts, where } = this.data;
    const value = (name, number) =>
      make('div', { class: 'sv-v' }, make('span', {}, name), make('code', {}, exact(number)));
    if (place.component !== undefined) {
      const number = this.rowValues(place.row)[place.step * place.row.units + place.component];
      return [value(`${texts.quantities[place.row.kind]} [${place.component}]`, number)];
    }
    if (place.unit === undefined) return [];
    const head = `${fill(texts.unit, { unit: place.unit })} · ${where[`${place.layer}.${place.direction}`]}`;
    const lines = [make('div', { class: 'sv-m' }, head)];
    for (const kind of this.data.kinds) {
      const row = this.rowOf(place.panel, place.layer, place.direction, kind);
      if (row) lines.push(value(texts.quantities[kind], this.rowValues(row)[place.step * row.units + place.unit]));
    }
    const { heatmap } = this.data.panels[place.panel];
    const known = heatmap && this.rowOf(place.panel, place.layer, place.direction, heatmap.quantity);
    if (heatmap && !known && heatmap.layer === place.layer && heatmap.direction === place.direction) {
      const values = this.heatmapValues(place.panel);
      lines.push(value(texts.quantities[heatmap.quantity], values[place.step * heatmap.order.length + place.unit]));
    }
    if (place.row && place.row.perTile > 1) {
      const last = Math.min(place.unit + place.row.perTile, place.row.units) - 1;
      lines.push(make('div', { class: 'sv-m' }, fill(texts.group, { first: place.unit, last })));
    }
    return lines;
  }

  outputTable(panel, step) {
    const { texts } = this.data;
    const table = make('table');
    const target = panel.targets[step];
    const row = (label, share, right) => {
      const bar = make('span', { class: 'sv-fill' });
      bar.style.width = `${Math.round(share * 60)}px`;
      const line = make('tr', right ? { class: 'sv-right' } : {}, make('td', {}, label), make('td', {}, bar));
      line.append(make('td', {}, share < 0.0001 ? share.toExponential(2) : share.toFixed(4)));
      return line;
    };
    table.append(make('tr', { class: 'sv-m' }, make('td', { colspan: 3 }, panel.outputs)));
    const shown = panel.top[step].slice(0, 5);
    for (const [label, share] of shown) table.append(row(label, share, target && target[0] === label));
    if (target && !shown.some(([label]) => label === target[0])) table.append(row(target[0], target[1], true));
    if (panel.losses[step] !== null) {
      const line = make('tr', { class: 'sv-m' }, make('td', { colspan: 2 }, `${texts.surprisal} −log P`));
      line.append(make('td', {}, `${panel.losses[step].toFixed(4)} ${texts.nats}`));
      table.append(line);
    }
    return table;
  }

  // ---- downloads: what is shown, with colours of its own

  snapshot() {
    const dress = dresser();
    const whole = document.createElementNS(SVG, 'svg');
    const [width, height] = this.size;
    for (const [name, value] of Object.entries({ viewBox: `0 0 ${width} ${height}`, width, height, role: 'img' })) {
      whole.setAttribute(name, value);
    }
    whole.setAttribute('aria-label', this.body.getAttribute('aria-label'));
    whole.setAttribute('font-family', getComputedStyle(this.body).fontFamily);
    const ground = this.background.cloneNode();
    ground.removeAttribute('class');
    ground.setAttribute('fill', getComputedStyle(this.labels.querySelector('.bg')).fill);
    whole.append(ground);
    for (const part of this.parts.map((svg) => svg.firstElementChild).filter(Boolean)) {
      const copy = part.cloneNode(true);
      dress(part, copy);
      whole.append(copy);
    }
    // Body before labels, as in the drawing.
    whole.insertBefore(whole.children[2], whole.children[1]);
    return new XMLSerializer().serializeToString(whole);
  }
}

/** Makes a figure live. `root` holds the SVG, or gets `svg`. Returns the picture: receive(focus), destroy(). */
export function hydrate(root, options) {
  return new Picture(root, options);
}
