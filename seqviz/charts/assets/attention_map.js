// Makes a map of attention live: rows appear one by one, words link to each other, τ is dragged, the arrows move the cell
// in focus. A plain ES module without dependencies (common.js stands before it). The cells are a few paths, one for each
// colour, so hovering only moves a handful of marks. The default export is a Streamlit component; `hydrate` serves plain
// pages.

const SEND_MS = 160;

function exactly(value) {
  if (!Number.isFinite(value)) return '–';
  for (let digits = 1; digits < 9; digits += 1) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return plain(Number(text));
  }
  return plain(Number(value.toPrecision(9)));
}

function mark(name, classes, attributes = {}) {
  const element = document.createElementNS(SVG, name);
  element.setAttribute('class', classes);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

// Shortened in the middle of a list, so that a line stays a line.
function listed(names, none, most) {
  if (!names.length) return none;
  return names.length > most ? `${names.slice(0, most).join(', ')} … (${names.length})` : names.join(', ');
}

export class AttentionMap {
  constructor(root, { svg, payload, focus, onFocus }) {
    this.root = root;
    this.data = payload;
    this.onFocus = onFocus || (() => {});
    this.sent = [];
    this.panels = payload.panels.map((panel) => ({ ...panel, values: floats(panel.values) }));
    this.first = this.panels[0];
    this.tau = payload.tau ?? 1;
    this.focus = { row: 0, column: 0, panel: 0 };
    this.written = Math.max(...this.panels.map((panel) => panel.rows.length));
    this.all = this.written;
    this.takeApart(svg);
    this.makeToolbar();
    this.listen();
    this.resize(root.clientWidth);
    if (focus) this.place(focus, { quietly: true });
    else this.place(this.focus, { quietly: true });
    this.grow(this.all);
    if (this.ribbons) this.trim(this.ribbons.threshold);
  }

  takeApart(markup) {
    this.svg = drawingIn(this.root, markup);
    this.size = [Number(this.svg.getAttribute('width')), Number(this.svg.getAttribute('height'))];
    this.ribbons = this.first.ribbons;
    const drawn = this.ribbons ? [this.svg] : [...this.svg.querySelectorAll('.sv-panel')];
    drawn.forEach((element, i) => this.prepare(element, this.panels[i], i));
    this.part = (name) => this.svg.querySelector(`[data-p="${name}"]`);
    this.scroller = make('div', { class: 'sv-scroll' }, this.svg);
    setStage(this, ' sv-attention', this.scroller);
  }

  prepare(element, panel, index) {
    const labels = (name) => [...element.querySelectorAll(`.${name} > text`)];
    Object.assign(panel, { index, element, rowLabels: labels('sv-rows'), columnLabels: labels('sv-columns') });
    const count = panel.columns.length;
    panel.at = (row, column) => panel.values[row * count + column];
    if (panel.ribbons) {
      panel.paths = [...element.querySelectorAll('.sv-ribbons > path')];
      panel.paths.forEach((path) => Object.assign(path, { row: Number(path.dataset.r), column: Number(path.dataset.c) }));
      return;
    }
    const { x, y, cell, rows } = panel;
    const width = count * cell;
    panel.cells = element.querySelector('.sv-cells');
    panel.cover = mark('rect', 'bg', { x: x - 1, y, width: width + 2, height: 0 });
    panel.rowMark = mark('rect', 'sv-row', { x, y, width, height: cell, visibility: 'hidden' });
    panel.columnMark = mark('rect', 'sv-row', { x, y, width: cell, height: rows.length * cell, visibility: 'hidden' });
    panel.frame = mark('rect', 'sv-mark', { x, y, width: cell, height: cell, rx: 2, 'stroke-width': 2.4 });
    for (const one of [panel.cover, panel.rowMark, panel.columnMark, panel.frame]) element.append(one);
    panel.entropyBars = [...element.querySelectorAll('.sv-entropy > g')];
    panel.coverageBars = [...element.querySelectorAll('.sv-coverage > rect')];
  }

  // ---- toolbar

  makeToolbar() {
    const { texts } = this.data;
    Object.assign(this, transport(texts, {
      least: 1,
      last: () => this.all,
      at: () => this.written,
      go: (count) => this.userGrows(count),
      toggle: () => this.togglePlay(),
    }));
    if (this.first.marginals) this.bar.append(this.tauSlider(texts));
    if (this.ribbons) this.bar.append(this.thresholdSlider(texts));
    for (const kind of ['svg', 'png']) this.bar.append(textButton(kind.toUpperCase(), texts[kind], () => this.save(kind)));
    this.root.prepend(this.bar);
  }

  tauSlider(texts) {
    const input = make('input', { type: 'range', min: 0.1, max: 3, step: 0.05, 'aria-label': texts.tau_long, title: texts.tau_long });
    input.value = this.tau;
    input.oninput = () => {
      this.tau = Number(input.value);
      this.tauNow.textContent = this.tau.toFixed(2);
      this.weigh();
    };
    this.tauNow = make('b', {}, this.tau.toFixed(2));
    return make('label', { class: 'sv-slider sv-short' }, make('span', {}, texts.tau), input, this.tauNow);
  }

  thresholdSlider(texts) {
    const { least, threshold } = this.ribbons;
    const input = make('input', { type: 'range', min: least, max: 0.5, step: 0.01, 'aria-label': texts.threshold_long, title: texts.threshold_long });
    input.value = threshold;
    input.oninput = () => this.trim(Number(input.value));
    this.thresholdNow = make('b', {}, threshold.toFixed(2));
    this.kept = make('span', { class: 'sv-now' });
    return make('label', { class: 'sv-slider sv-short' }, make('span', {}, texts.threshold), input, this.thresholdNow, this.kept);
  }

  resize(room) {
    if (!room || room === this.sized) return;
    this.sized = room;
    const [width, height] = this.size;
    // As wide as there is room, but never too small to read.
    const least = this.data.fontSize >= 16 ? 1 : 0.8;
    const scale = clamp(room / width, least, 1.4);
    this.scale = scale;
    this.svg.setAttribute('width', width * scale);
    this.svg.setAttribute('height', height * scale);
    this.svg.style.display = 'block';
  }

  // ---- growth: the row of a word appears when it is written

  userGrows(count) {
    this.stop();
    this.grow(count);
  }

  grow(count) {
    this.written = clamp(count, 1, this.all);
    this.slider.value = this.written;
    this.now.textContent = fill(this.data.texts.now, { count: this.written, all: this.all });
    for (const panel of this.panels) {
      const rows = panel.rows.length;
      const shown = Math.min(this.written, rows);
      panel.rowLabels.forEach((label, row) => label.setAttribute('visibility', row < shown ? 'visible' : 'hidden'));
      if (panel.ribbons) {
        this.trim(this.threshold ?? panel.ribbons.threshold);
        continue;
      }
      panel.cover.setAttribute('y', panel.y + shown * panel.cell);
      panel.cover.setAttribute('height', Math.max(0, (rows - shown) * panel.cell));
      panel.entropyBars.forEach((bar, row) => bar.setAttribute('visibility', row < shown ? 'visible' : 'hidden'));
    }
    if (this.first.marginals) this.weigh();
  }

  coverage(panel) {
    const rows = Math.min(this.written, panel.rows.length);
    return panel.columns.map((_, column) => {
      let sum = 0;
      for (let row = 0; row < rows; row += 1) sum += panel.at(row, column);
      return sum;
    });
  }

  // The regulariser and its flags for the τ and the rows that are shown.
  weigh() {
    const { texts, never, often } = this.data;
    for (const panel of this.panels.filter((one) => one.marginals)) {
      const coverage = this.coverage(panel);
      const { height, most, foot, names } = panel.marginals;
      const low = [];
      const many = [];
      let sum = 0;
      coverage.forEach((value, column) => {
        sum += (this.tau - value) ** 2;
        const kind = value < never * this.tau ? 'bn' : value > often * this.tau ? 'bl' : 'br';
        if (kind === 'bn') low.push(panel.columns[column]);
        if (kind === 'bl') many.push(panel.columns[column]);
        panel.coverageBars[column].setAttribute('class', kind);
        panel.coverageBars[column].setAttribute('height', Math.max((height * value) / most, 1.5));
      });
      const line = foot + Math.min((height * this.tau) / most, height + 6);
      const find = (name) => panel.element.querySelector(`[data-p="${name}"]`);
      find('tau').setAttribute('d', `M${panel.x - 4} ${line}h${panel.columns.length * panel.cell + 8}`);
      find('tau-name').setAttribute('y', line + 5);
      find('value').textContent = fill(texts.value, { value: sum.toFixed(3), tau: this.tau.toFixed(2) });
      find('flags').textContent = fill(texts.flags, { never: listed(low, texts.none, names), often: listed(many, texts.none, names) });
    }
  }

  trim(threshold) {
    this.threshold = threshold;
    const [panel] = this.panels;
    let kept = 0;
    for (const path of panel.paths) {
      const value = panel.at(path.row, path.column);
      const shown = value >= threshold && path.row < this.written;
      path.setAttribute('display', shown ? 'inline' : 'none');
      if (shown) kept += value;
    }
    this.thresholdNow.textContent = threshold.toFixed(2);
    const share = `${((100 * kept) / Math.min(this.written, panel.rows.length)).toFixed(1)} %`;
    this.kept.textContent = fill(this.data.texts.kept, { share });
  }

  togglePlay() {
    if (this.timer) {
      this.stop();
      return;
    }
    if (this.written === this.all) this.grow(0);
    showPlaying(this.playButton, this.data.texts, true);
    this.timer = setInterval(() => {
      this.grow(this.written + 1);
      if (this.written === this.all) this.stop();
    }, PLAY_MS);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    showPlaying(this.playButton, this.data.texts, false);
  }

  // ---- pointing

  listen() {
    this.observer = new ResizeObserver((entries) => this.resize(Math.floor(entries[0].contentRect.width)));
    this.observer.observe(this.root);
    this.svg.onpointermove = (event) => event.pointerType !== 'touch' && this.point(event);
    this.svg.onpointerleave = () => this.leave();
    this.svg.onclick = (event) => {
      const spot = this.spot(event);
      if (spot) this.userPlaces(spot);
      this.point(event);
    };
    this.root.onkeydown = (event) => this.key(event);
  }

  where(event) {
    const box = this.svg.getBoundingClientRect();
    const factor = this.size[0] / box.width;
    return [(event.clientX - box.left) * factor, (event.clientY - box.top) * factor];
  }

  // Which cell, row label (column null) or column label (row null) is under the pointer.
  spot(event) {
    const [px, py] = this.where(event);
    if (this.ribbons) return this.ribbonSpot(event, px, py);
    for (const panel of this.panels) {
      const column = Math.floor((px - panel.x) / panel.cell);
      const row = Math.floor((py - panel.y) / panel.cell);
      const inColumns = column >= 0 && column < panel.columns.length;
      const inRows = row >= 0 && row < Math.min(panel.rows.length, this.written);
      if (inColumns && inRows) return { panel: panel.index, row, column };
      if (inRows && px < panel.x && px > panel.x - 130) return { panel: panel.index, row, column: null };
      const hanging = panel.marginals && py > panel.marginals.foot && py < panel.marginals.foot + panel.marginals.height;
      if (inColumns && ((py < panel.y && py > panel.y - 40) || hanging)) return { panel: panel.index, row: null, column };
    }
    return null;
  }

  ribbonSpot(event, px, py) {
    const { left, right, y, source, target } = this.ribbons;
    const [panel] = this.panels;
    const { target: element } = event;
    if (element.row !== undefined && element.dataset.c) return { panel: 0, row: element.row, column: element.column };
    const column = Math.floor((py - y) / source);
    const row = Math.floor((py - y) / target);
    if (px < left && column >= 0 && column < panel.columns.length) return { panel: 0, row: null, column };
    if (px > right && row >= 0 && row < Math.min(panel.rows.length, this.written)) return { panel: 0, row, column: null };
    return null;
  }

  point(event) {
    const spot = this.spot(event);
    if (!spot) {
      this.leave();
      return;
    }
    this.light(spot.row, spot.column);
    this.showTip(spot, event.clientX, event.clientY);
  }

  light(row, column) {
    for (const panel of this.panels) {
      panel.rowLabels.forEach((label, i) => label.classList.toggle('ac', i === row));
      panel.columnLabels.forEach((label, i) => label.classList.toggle('ac', i === column));
      if (panel.ribbons) {
        panel.paths.forEach((path) => {
          const on = (row === null || path.row === row) && (column === null || path.column === column);
          path.style.opacity = row === undefined ? '' : on ? 1 : 0.12;
        });
        // Of a word whose ribbons are lit, the words at their other ends are lit as well.
        if (row !== undefined && (row === null || column === null)) this.lightPartners(panel, row, column);
        continue;
      }
      const set = (element, shown, attribute, value) => {
        element.setAttribute('visibility', shown ? 'visible' : 'hidden');
        if (shown) element.setAttribute(attribute, value);
      };
      const hasRow = row !== null && row !== undefined && row < panel.rows.length;
      set(panel.rowMark, hasRow, 'y', panel.y + row * panel.cell);
      set(panel.columnMark, column !== null && column !== undefined, 'x', panel.x + column * panel.cell);
    }
  }

  lightPartners(panel, row, column) {
    const shown = panel.paths.filter((path) => path.getAttribute('display') !== 'none');
    for (const path of shown) {
      if (row !== null && path.row === row) panel.columnLabels[path.column].classList.add('ac');
      if (column !== null && path.column === column) panel.rowLabels[path.row].classList.add('ac');
    }
  }

  leave() {
    this.tip.hidden = true;
    this.light();
  }

  showTip({ panel: index, row, column }, clientX, clientY) {
    const { texts } = this.data;
    const panel = this.panels[index];
    const value = (name, text) => make('div', { class: 'sv-v' }, make('span', {}, name), make('code', {}, text));
    const lines = [];
    if (row !== null) {
      lines.push(make('div', { class: 'sv-h' }, `${texts.target} ${panel.rows[row]}`));
      if (panel.notes[row]) lines.push(make('div', { class: 'sv-m' }, panel.notes[row]));
    }
    if (column !== null) lines.push(make('div', { class: 'sv-h' }, `${texts.source} ${panel.columns[column]}`));
    if (row !== null && column !== null) {
      for (const one of this.panels) {
        if (row >= one.rows.length) continue;
        const name = this.panels.length > 1 && one.title ? one.title : one.unit;
        lines.push(value(name, exactly(one.at(row, column))));
      }
    } else {
      lines.push(this.strongest(panel, row, column));
    }
    if (column !== null && panel.marginals) lines.push(value(texts.received, this.coverage(panel)[column].toFixed(4)));
    if (row !== null && panel.palette === 'share') lines.push(value(texts.entropy, `${this.entropy(panel, row).toFixed(3)} ${texts.bits}`));
    this.tip.replaceChildren(...lines);
    this.tip.hidden = false;
    const box = this.root.getBoundingClientRect();
    const left = clientX - box.left + 18;
    const over = left + this.tip.offsetWidth > this.root.clientWidth;
    this.tip.style.left = `${clamp(over ? left - this.tip.offsetWidth - 36 : left, 4, Math.max(4, this.root.clientWidth - this.tip.offsetWidth - 4))}px`;
    const below = clientY - box.top + 14;
    this.tip.style.top = `${clientY + this.tip.offsetHeight + 20 > innerHeight ? Math.max(0, below - this.tip.offsetHeight - 28) : below}px`;
  }

  strongest(panel, row, column) {
    const count = row !== null ? panel.columns.length : Math.min(panel.rows.length, this.written);
    const at = (i) => (row !== null ? panel.at(row, i) : panel.at(i, column));
    const names = row !== null ? panel.columns : panel.rows;
    const order = Array.from({ length: count }, (_, i) => i).sort((a, b) => Math.abs(at(b)) - Math.abs(at(a)));
    const table = make('table');
    for (const i of order.slice(0, 5)) table.append(make('tr', {}, make('td', {}, names[i]), make('td', {}, plain(Number(at(i).toPrecision(4))))));
    return table;
  }

  entropy(panel, row) {
    let sum = 0;
    panel.columns.forEach((_, column) => {
      const value = panel.at(row, column);
      if (value > 0) sum -= value * Math.log2(value);
    });
    return sum;
  }

  // ---- the cell in focus

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.tagName === 'INPUT') return;
    const { row, column } = this.focus;
    const panel = this.panels[this.focus.panel];
    const moves = {
      ArrowUp: { row: row - 1 }, ArrowDown: { row: row + 1 }, ArrowLeft: { column: column - 1 }, ArrowRight: { column: column + 1 },
      Home: { column: 0 }, End: { column: panel.columns.length - 1 }, PageUp: { row: 0 }, PageDown: { row: panel.rows.length - 1 },
    };
    if (event.key === ' ' && event.target.tagName !== 'BUTTON') this.togglePlay();
    else if (event.key === 'Escape') this.leave();
    else if (event.key in moves) this.userPlaces({ ...this.focus, ...moves[event.key] });
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  userPlaces(spot) {
    const wanted = { row: spot.row ?? this.focus.row, column: spot.column ?? this.focus.column, panel: spot.panel ?? 0 };
    this.place(wanted, {});
  }

  place({ row, column, panel = 0 }, { quietly = false }) {
    const one = this.panels[panel] || this.first;
    this.focus = { panel: one.index, row: clamp(row, 0, one.rows.length - 1), column: clamp(column, 0, one.columns.length - 1) };
    if (this.focus.row >= this.written) this.grow(this.focus.row + 1);
    for (const each of this.panels) {
      if (!each.frame) continue;
      const row2 = Math.min(this.focus.row, each.rows.length - 1);
      each.frame.setAttribute('x', each.x + this.focus.column * each.cell);
      each.frame.setAttribute('y', each.y + row2 * each.cell);
    }
    if (one.ribbons && !quietly) this.light(this.focus.row, this.focus.column);
    if (quietly) return;
    this.reveal(one);
    this.live.textContent = `${one.rows[this.focus.row]} ← ${one.columns[this.focus.column]}: ${exactly(one.at(this.focus.row, this.focus.column))}`;
    clearTimeout(this.sender);
    this.sender = setTimeout(() => {
      const { row: r, column: c } = this.focus;
      this.sent.push(`${r} ${c}`);
      this.onFocus({ row: r, column: c, panel: this.focus.panel });
    }, SEND_MS);
  }

  reveal(panel) {
    if (!panel.frame) return;
    const at = (panel.x + this.focus.column * panel.cell) * this.scale;
    const { scrollLeft, clientWidth } = this.scroller;
    if (at < scrollLeft || at + panel.cell * this.scale > scrollLeft + clientWidth) this.scroller.scrollLeft = at - clientWidth / 2;
  }

  receive(focus) {
    if (!focus || focus.row === undefined) return;
    const echo = this.sent.indexOf(`${focus.row} ${focus.column}`);
    if (echo >= 0) {
      this.sent.splice(0, echo + 1);
      return;
    }
    this.place(focus, { quietly: true });
  }

  // ---- downloads: what is shown, with colours of its own

  snapshot() {
    const copy = this.svg.cloneNode(true);
    const dress = dresser();
    [...this.svg.children].forEach((child, i) => dress(child, copy.children[i]));
    copy.removeAttribute('style');
    copy.setAttribute('width', this.size[0]);
    copy.setAttribute('height', this.size[1]);
    copy.setAttribute('font-family', getComputedStyle(this.svg).fontFamily);
    return new XMLSerializer().serializeToString(copy);
  }

  save(kind) {
    this.leave();
    return savePicture(kind, this.snapshot(), this.size, this.data.file);
  }

  destroy() {
    clearInterval(this.timer);
    clearTimeout(this.sender);
    this.observer.disconnect();
  }
}

/** Makes a map live. `root` holds the SVG, or gets `svg`. Returns it: receive(focus), destroy(). */
export function hydrate(root, options) {
  return new AttentionMap(root, options);
}

const maps = new WeakMap();

export default function (component) {
  const { data, parentElement, setStateValue } = component;
  const root = parentElement.querySelector('.sv-mount');
  root.classList.toggle('sv-dark', isDark(root));
  const onFocus = (focus) => setStateValue('focus', focus);
  let entry = maps.get(parentElement);
  if (entry && entry.id === data.payload.id) {
    entry.map.onFocus = onFocus;
    return entry.release;
  }
  const active = entry && parentElement.activeElement === entry.map.stage;
  if (entry) entry.release();
  const focus = globalThis.seqvizFocus?.get(data.key);
  const map = hydrate(root, { svg: data.svg, payload: data.payload, focus, onFocus });
  if (active) map.stage.focus({ preventScroll: true });
  const listener = ({ detail }) => detail.key === data.key && map.receive(detail.focus);
  globalThis.addEventListener('seqviz-focus', listener);
  const release = () => {
    globalThis.removeEventListener('seqviz-focus', listener);
    map.destroy();
    maps.delete(parentElement);
  };
  entry = { id: data.payload.id, map, release };
  maps.set(parentElement, entry);
  return release;
}
