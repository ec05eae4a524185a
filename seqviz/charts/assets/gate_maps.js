// Lets the maps of all gates be pointed at and clicked, on top of common.js. The drawing is complete; only marks move.

class MapsPicture extends Stepper {
  constructor(root, { svg, payload, focus, ...listeners }) {
    super(root, payload, listeners);
    this.reduced = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.rows = payload.maps.map((map) => floats(map.values));
    this.takeApart(svg);
    this.listen();
    this.begin(focus);
  }

  takeApart(markup) {
    const whole = drawingIn(this.root, markup);
    const { data } = this;
    const [left, , height] = data.track;
    // The frame of the first step stands a little left of its column.
    const edge = left - 2;
    this.edge = edge;
    this.body = part('sv-steps', [edge, 0, data.size[0] - edge, height], whole.querySelector('.sv-body'));
    this.body.setAttribute('role', 'img');
    this.body.setAttribute('aria-label', whole.getAttribute('aria-label'));
    this.labels = part('sv-stick', [0, 0, edge, height], whole.querySelector('.sv-labels'));
    this.labels.querySelector('.bg').setAttribute('width', edge);
    this.foot = part('sv-legend', [0, height, data.room, data.size[1] - height], whole.querySelector('.sv-foot'));
    for (const hidden of [this.labels, this.foot]) hidden.setAttribute('aria-hidden', 'true');
    this.parts = [this.body, this.labels, this.foot];
    this.scroller = scrolling(this.labels, this.body);
    setStage(this, '', this.scroller, scrolling(this.foot));
    this.frame = this.body.querySelector('.sv-frame');
    this.hover = this.body.querySelector('.sv-hover');
    this.mark = this.body.querySelector('.sv-row');
    this.marks = data.maps.map((_, i) => (i ? this.mark.parentNode.appendChild(this.mark.cloneNode()) : this.mark));
  }

  resize() {
    const room = this.root.clientWidth;
    if (!room) return;
    const { data } = this;
    const least = data.fontSize >= 16 ? 16 / (data.fontSize - 2) : 0.72;
    this.scale = clamp(room / data.room, Math.min(least, 1), data.fontSize >= 16 ? 1.2 : 1.45);
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
    this.body.onpointermove = (event) => event.pointerType !== 'touch' && this.point(event);
    this.body.onpointerleave = () => this.leave();
    this.body.onclick = (event) => {
      const place = this.placeAt(event);
      if (!place) return;
      const { step, row } = place;
      this.userMoves(row === null ? { step } : { step, unit: this.data.groups[row][0] });
      this.stage.focus({ preventScroll: true });
    };
    this.root.onkeydown = (event) => this.key(event);
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const { step, unit } = this.focus;
    const row = this.rowOf(unit);
    const moves = {
      ArrowLeft: { step: step - 1 },
      ArrowRight: { step: step + 1 },
      Home: { step: 0 },
      End: { step: this.data.steps - 1 },
      ArrowUp: { unit: this.data.groups[Math.max(row - 1, 0)][0] },
      ArrowDown: { unit: this.data.groups[Math.min(row + 1, this.data.groups.length - 1)][0] },
    };
    if (event.key === 'Escape') this.leave();
    else if (event.key in moves) this.userMoves(moves[event.key]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  rowOf(unit) {
    return this.data.groups.findIndex((units) => units.includes(unit));
  }

  within(focus) {
    const unit = Math.trunc(focus.unit);
    return {
      ...this.data.focus,
      step: clamp(Math.trunc(focus.step) || 0, 0, this.data.steps - 1),
      unit: this.rowOf(unit) < 0 ? this.data.focus.unit : unit,
    };
  }

  show(focus, { quietly = false, instantly = false }) {
    const before = this.focus;
    this.focus = focus;
    const { data } = this;
    const [left, column] = data.track;
    this.frame.setAttribute('transform', `translate(${left + focus.step * column} 0)`);
    const row = this.rowOf(focus.unit);
    data.maps.forEach(({ rows }, index) => {
      const mark = this.marks[index];
      mark.setAttribute('visibility', 'visible');
      mark.setAttribute('y', rows.top + row * rows.height - 1);
      mark.setAttribute('height', rows.height + 2);
    });
    if (!quietly) {
      const where = fill(data.texts.step, { step: focus.step + 1, steps: data.steps });
      this.live.textContent = `${where}: ${data.tokens[focus.step]}. ${fill(data.texts.unit, { unit: focus.unit })}`;
      this.send();
    }
    if (!before || before.step !== focus.step) this.reveal(focus.step, instantly);
  }

  placeAt(event) {
    const { data } = this;
    const box = this.body.getBoundingClientRect();
    const x = this.edge + (event.clientX - box.left) / this.scale;
    const y = (event.clientY - box.top) / this.scale;
    const [left, column] = data.track;
    const step = Math.floor((x - left) / column);
    if (step < 0 || step >= data.steps) return null;
    const index = data.maps.findIndex(({ range }) => y >= range[0] && y < range[1]);
    if (index < 0) return { step, index: null, row: null };
    const { rows } = data.maps[index];
    const row = Math.floor((y - rows.top) / rows.height);
    return { step, index, row: row >= 0 && row < rows.count ? row : null };
  }

  point(event) {
    const place = this.placeAt(event);
    if (!place) {
      this.leave();
      return;
    }
    const { data } = this;
    const [left, column] = data.track;
    this.hover.setAttribute('transform', `translate(${left + place.step * column} 0)`);
    this.hover.setAttribute('visibility', 'visible');
    const lines = [make('div', { class: 'sv-h' }, data.tokens[place.step])];
    lines.push(make('div', { class: 'sv-m' }, fill(data.texts.step, { step: place.step + 1, steps: data.steps })));
    if (place.index !== null) lines.push(...this.sayMap(place));
    this.tip.replaceChildren(...lines);
    const box = this.root.getBoundingClientRect();
    this.tip.hidden = false;
    const room = this.root.clientWidth;
    const right = event.clientX - box.left + 18;
    const beside = right + this.tip.offsetWidth > room ? right - this.tip.offsetWidth - 36 : right;
    this.tip.style.left = `${clamp(beside, 4, Math.max(4, room - this.tip.offsetWidth - 4))}px`;
    const below = event.clientY - box.top + 20;
    const over = event.clientY + this.tip.offsetHeight + 30 > innerHeight;
    this.tip.style.top = `${over ? Math.max(0, below - this.tip.offsetHeight - 36) : below}px`;
  }

  sayMap({ step, index, row }) {
    const { texts, maps, groups } = this.data;
    const map = maps[index];
    const line = (name, number) =>
      make('div', { class: 'sv-v' }, make('span', {}, name), make('code', {}, plain(Number(number.toPrecision(6)))));
    const lines = [make('div', {}, map.name)];
    if (row !== null) {
      const units = groups[row];
      const name = units.length === 1 ? fill(texts.unit, { unit: units[0] }) : fill(texts.units, { units: this.few(units) });
      lines.push(line(name, this.rows[index][step * map.rows.count + row]));
    }
    lines.push(line(texts.mean, map.mean[step]));
    const low = plain(Number(map.low[step].toPrecision(4)));
    const high = plain(Number(map.high[step].toPrecision(4)));
    lines.push(make('div', { class: 'sv-v' }, make('span', {}, texts.spread), make('code', {}, `${low} \u2026 ${high}`)));
    return lines;
  }

  few(units) {
    return units.length > 6 ? `${units.slice(0, 6).join(', ')} \u2026` : units.join(', ');
  }

  leave() {
    this.hover.setAttribute('visibility', 'hidden');
    this.tip.hidden = true;
  }
}

/** Makes a figure live. `root` holds the SVG, or gets `svg`. Returns the picture: receive(focus), destroy(). */
export function hydrate(root, options) {
  return new MapsPicture(root, options);
}
