// Lets the encoder-decoder be stepped through: the source's pieces, the hand-over, the target's pieces. The drawing is
// complete; marks move, and of the ribbons those of one step are shown.

class PairPicture extends Stepper {
  constructor(root, { svg, payload, focus, ...listeners }) {
    super(root, payload, listeners);
    this.decoded = new Map();
    this.reduced = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.takeApart(svg);
    this.makeToolbar();
    this.listen();
    this.begin(focus);
  }

  takeApart(markup) {
    this.svg = drawingIn(this.root, markup);
    this.size = [Number(this.svg.getAttribute('width')), Number(this.svg.getAttribute('height'))];
    this.scroller = scrolling(this.svg);
    setStage(this, '', this.scroller);
    const find = (selector) => this.svg.querySelector(selector);
    this.moment = [find('.sv-band'), find('.sv-frame')];
    this.hovered = [find('.sv-hover'), find('.sv-lens')];
    this.marks = [...this.svg.querySelectorAll('.sv-mark')];
    this.ribbons = [...this.svg.querySelectorAll('[data-ribbons]')];
    this.unitLine = find('[data-unit]');
  }

  resize() {
    const room = this.root.clientWidth;
    if (!room) return;
    const { data } = this;
    const [least, most] = data.fontSize >= 16 ? [16 / data.small, 1.35] : [0.86, 1.5];
    this.scale = clamp(room / this.size[0], Math.min(least, 1), most);
    this.svg.setAttribute('width', this.size[0] * this.scale);
    this.svg.setAttribute('height', this.size[1] * this.scale);
  }

  listen() {
    this.observer = new ResizeObserver(() => {
      const before = this.scale;
      this.resize();
      if (this.focus && before !== this.scale) this.reveal(this.focus.step, true);
    });
    this.resize();
    this.observer.observe(this.root);
    this.scroller.onscroll = () => this.leave();
    this.svg.onpointermove = (event) => event.pointerType !== 'touch' && this.point(event);
    this.svg.onpointerleave = () => this.leave();
    this.svg.onclick = (event) => {
      this.stop();
      const place = this.placeAt(event);
      if (!place) return;
      const { step, row, unit } = place;
      const state = row && (row.kind === 'state' || row.kind === 'start');
      this.userMoves(state ? { step, layer: row.layer, direction: row.direction, unit } : { step });
      if (event.pointerType === 'touch') this.point(event);
      this.stage.focus({ preventScroll: true });
    };
    this.root.onkeydown = (event) => this.key(event);
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const onSlider = event.target === this.slider;
    const { step, unit } = this.focus;
    const moves = {
      ArrowLeft: { step: step - 1 },
      ArrowRight: { step: step + 1 },
      Home: { step: 0 },
      End: { step: this.data.steps - 1 },
      ArrowUp: { unit: unit - 1 },
      ArrowDown: { unit: unit + 1 },
      PageUp: this.otherRow(-1),
      PageDown: this.otherRow(1),
    };
    if (event.key === ' ' && event.target.tagName !== 'BUTTON') this.togglePlay();
    else if (event.key === 'Escape') this.leave();
    else if (moves[event.key] && !onSlider) this.userMoves(moves[event.key]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // ---- the moment

  part(step) {
    return step < this.data.sources ? 'encoder' : 'decoder';
  }

  statesOf(step) {
    return this.data.rows.filter((row) => row.kind === 'state' && row.part === this.part(step));
  }

  // The row of states above or below in the drawing.
  otherRow(offset) {
    const rows = this.statesOf(this.focus.step).sort((a, b) => a.y - b.y);
    const place = rows.findIndex((row) => row.layer === this.focus.layer && row.direction === this.focus.direction);
    const { layer, direction } = rows[clamp(place + offset, 0, rows.length - 1)];
    return { layer, direction };
  }

  within(focus) {
    const step = clamp(Math.trunc(focus.step) || 0, 0, this.data.steps - 1);
    const rows = this.statesOf(step);
    const same = rows.filter((row) => row.direction === focus.direction);
    const row = same.find((each) => each.layer === focus.layer) || same[0] || rows[rows.length - 1];
    const unit = clamp(Math.trunc(focus.unit) || 0, 0, row.units - 1);
    return { step, layer: row.layer, direction: row.direction, unit };
  }

  // The decoder's step, counted from 0; negative before it.
  target(step) {
    return step - this.data.sources - 1;
  }

  headline(step) {
    const { data } = this;
    const at = this.target(step);
    if (step < data.sources) {
      return [fill(data.texts.reads, { step: step + 1, steps: data.sources }), `\u2018${data.pieces[step]}\u2019`];
    }
    if (at < 0) return [data.texts.hands, ''];
    const said = Object.values(data.runs).map((run) => run.written[at]).filter((piece) => piece !== undefined);
    const pieces = [...new Set(said)].map((piece) => `\u2018${piece}\u2019`).join(' / ');
    return [fill(data.texts.writes, { step: at + 1, steps: data.steps - data.sources - 1 }), pieces];
  }

  show(focus, { quietly = false, instantly = false }) {
    const before = this.focus;
    this.focus = focus;
    const [x, y, width, height] = this.data.places[focus.step];
    this.moment.forEach((mark, i) => this.putAt(mark, x + 0.8 * i, y, width - 1.6 * i, height));
    this.showRibbons(focus.step);
    this.showUnit(focus);
    this.slider.value = focus.step + 1;
    const [where, what] = this.headline(focus.step);
    this.now.replaceChildren(what ? `${where}: ` : where, make('b', {}, what));
    this.slider.setAttribute('aria-valuetext', `${where} ${what}`);
    if (!before || before.step !== focus.step) this.reveal(focus.step, instantly);
    if (quietly) return;
    this.live.textContent = `${where} ${what}. ${fill(this.data.texts.unit, { unit: focus.unit })}`;
    this.send();
  }

  putAt(mark, x, y, width, height) {
    for (const [name, value] of Object.entries({ x, y, width, height })) mark.setAttribute(name, value);
  }

  showRibbons(step) {
    const at = String(this.target(step));
    for (const ribbon of this.ribbons) {
      ribbon.setAttribute('visibility', ribbon.dataset.ribbons === at ? 'visible' : 'hidden');
    }
  }

  showUnit({ step, layer, direction, unit }) {
    const part = this.part(step);
    for (const mark of this.marks) {
      const row = this.data.rows[mark.dataset.row];
      const own = row.layer === layer && row.direction === direction && (row.part || 'decoder') === part;
      mark.setAttribute('visibility', own ? 'visible' : 'hidden');
      const tile = Math.floor(unit / row.perTile);
      const x = (tile % row.columns) * row.tile;
      const y = row.y + Math.floor(tile / row.columns) * row.tile;
      if (own) mark.setAttribute('transform', `translate(${x} ${y})`);
    }
    // The hand-over of the unit in focus, if it is the decoder's.
    const { handOver } = this.data;
    const at = layer * handOver.units + unit;
    const sum = plain(this.numbers(handOver.sums)[at]?.toFixed(3));
    this.unitLine.textContent = part === 'decoder' ? `[${unit}]: tanh(${sum})` : '';
  }

  numbers(base64) {
    if (!this.decoded.has(base64)) this.decoded.set(base64, floats(base64));
    return this.decoded.get(base64);
  }

  reveal(step, instantly) {
    const { scroller, scale } = this;
    const [left, , width] = this.data.places[step];
    const margin = 60;
    let wanted = scroller.scrollLeft;
    if (left * scale - margin < wanted) wanted = left * scale - margin;
    if ((left + width) * scale + margin > wanted + scroller.clientWidth) {
      wanted = (left + width) * scale + margin - scroller.clientWidth;
    }
    if (step === 0) wanted = 0;
    if (wanted !== scroller.scrollLeft) {
      scroller.scrollTo({ left: wanted, behavior: instantly || this.reduced ? 'instant' : 'smooth' });
    }
  }

  // ---- pointing

  placeAt(event) {
    const box = this.svg.getBoundingClientRect();
    const x = (event.clientX - box.left) / this.scale;
    const y = (event.clientY - box.top) / this.scale;
    const inside = ([left, top, width, height]) => x >= left && x < left + width && y >= top && y < top + height;
    const tile = this.tileAt(x, y);
    if (tile.row?.kind === 'start') return { step: this.data.sources, ...tile };
    const step = this.data.places.findIndex(inside);
    return step < 0 ? null : { step, ...tile };
  }

  tileAt(x, y) {
    for (const row of this.data.rows) {
      const step = Math.floor((x - row.left) / row.column);
      const column = Math.floor((x - row.left - step * row.column) / row.tile);
      const line = Math.floor((y - row.y) / row.tile);
      const tile = line * row.columns + column;
      const known = step >= 0 && step < row.steps && column >= 0 && column < row.columns && line >= 0;
      if (!known || tile >= row.tiles) continue;
      if (!this.decoded.has(row)) {
        this.decoded.set(row, [floats(row.values), Uint8Array.from(atob(row.which), (char) => char.charCodeAt(0))]);
      }
      const [values, which] = this.decoded.get(row);
      const place = step * row.tiles + tile;
      return { row, tile, unit: tile * row.perTile + which[place], value: values[place] };
    }
    return {};
  }

  point(event) {
    const place = this.placeAt(event);
    if (!place) {
      this.leave();
      return;
    }
    const [x, y, width, height] = this.data.places[place.step];
    this.hovered.forEach((mark, i) => {
      this.putAt(mark, x + 0.8 * i, y, width - 1.6 * i, height);
      mark.setAttribute('visibility', 'visible');
    });
    if (this.target(place.step) >= 0) this.showRibbons(place.step);
    const [where, what] = this.headline(place.step);
    const lines = [make('div', { class: 'sv-h' }, what || where)];
    if (what) lines.push(make('div', { class: 'sv-m' }, where));
    this.tip.replaceChildren(...lines, ...this.tileLines(place), ...this.stepLines(place));
    this.tip.hidden = false;
    const box = this.root.getBoundingClientRect();
    const room = this.root.clientWidth;
    const right = event.clientX - box.left + 20;
    const beside = right + this.tip.offsetWidth > room ? right - this.tip.offsetWidth - 40 : right;
    this.tip.style.left = `${clamp(beside, 4, Math.max(4, room - this.tip.offsetWidth - 4))}px`;
    const below = event.clientY - box.top + 18;
    const over = event.clientY + this.tip.offsetHeight + 28 > innerHeight;
    this.tip.style.top = `${over ? Math.max(0, below - this.tip.offsetHeight - 34) : below}px`;
  }

  line(name, text) {
    return make('div', { class: 'sv-v' }, make('span', {}, name), make('code', {}, text));
  }

  tileLines({ row, tile, unit, value }) {
    if (!row) return [];
    const { texts } = this.data;
    const named = row.direction ? [texts.rows[row.direction], fill(texts.layer, { layer: row.layer + 1 })] : [];
    const lines = [make('div', { class: 'sv-m' }, [texts.kinds[row.kind], ...named].join(' \u00b7 '))];
    const name = row.direction ? fill(texts.unit, { unit }) : fill(texts.component, { unit });
    lines.push(this.line(name, exact(value)));
    if (row.perTile > 1) {
      const first = tile * row.perTile;
      const last = Math.min(first + row.perTile, row.units) - 1;
      lines.push(make('div', { class: 'sv-m' }, fill(texts.group, { first, last })));
    }
    return lines;
  }

  stepLines({ step }) {
    const { data } = this;
    const at = this.target(step);
    if (step < data.sources) return this.sourceLines(step);
    if (at < 0) return [];
    const lines = Object.values(data.runs).map((run) => this.runTable(run, at));
    if (data.distances[at] !== undefined) lines.push(this.line(data.texts.distance, plain(data.distances[at].toFixed(4))));
    return lines;
  }

  sourceLines(source) {
    const { data } = this;
    const lines = [];
    if (data.wordOf[source] !== data.pieces[source]) lines.push(this.line(data.texts.word, data.wordOf[source]));
    const at = this.target(this.focus.step);
    if (at < 0) return lines;
    for (const run of Object.values(data.runs)) {
      if (!run.attention || at >= run.written.length) continue;
      const share = this.numbers(run.attention)[at * data.sources + source];
      lines.push(this.line(fill(data.texts.attended, { step: at + 1, run: run.title }), this.share(share)));
    }
    return lines;
  }

  share(value) {
    return value < 0.0001 ? value.toExponential(2) : value.toFixed(4);
  }

  runTable(run, at) {
    const { texts, targets } = this.data;
    const table = make('table');
    const row = (...cells) => table.append(make('tr', {}, ...cells.map((cell) => make('td', {}, cell))));
    table.append(make('tr', { class: 'sv-m' }, make('td', { colspan: 3 }, run.title)));
    if (at >= run.written.length) {
      table.append(make('tr', { class: 'sv-m' }, make('td', { colspan: 3 }, texts.end)));
      return table;
    }
    row(texts.fed, run.fed[at], '');
    const right = targets && targets[at];
    for (const [label, share] of run.top[at]) {
      const bar = make('span', { class: 'sv-fill' });
      bar.style.width = `${Math.round(share * 60)}px`;
      const line = make('tr', label === right ? { class: 'sv-right' } : {}, make('td', {}, label), make('td', {}, bar));
      line.append(make('td', {}, this.share(share)));
      table.append(line);
    }
    row(texts.written, run.written[at], this.share(run.shares[at]));
    if (right && run.right[at] !== null) row(texts.wanted, right, this.share(run.right[at]));
    return table;
  }

  leave() {
    for (const part of this.hovered) part.setAttribute('visibility', 'hidden');
    this.tip.hidden = true;
    if (this.focus) this.showRibbons(this.focus.step);
  }

  // ---- downloads: what is shown, with colours of its own

  snapshot() {
    const copy = this.svg.cloneNode(true);
    dresser()(this.svg, copy);
    for (const hidden of copy.querySelectorAll('[visibility=hidden]')) hidden.remove();
    const [width, height] = this.size;
    copy.setAttribute('xmlns', SVG);
    copy.setAttribute('width', width);
    copy.setAttribute('height', height);
    return new XMLSerializer().serializeToString(copy);
  }
}

/** Makes a figure live. `root` holds the SVG, or gets `svg`. Returns the picture: receive(focus), destroy(). */
export function hydrate(root, options) {
  return new PairPicture(root, options);
}
