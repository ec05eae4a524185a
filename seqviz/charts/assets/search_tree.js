// Makes a search tree live: play, filter, zoom, the candidates under the pointer, ranking for another α. A plain ES module
// without dependencies (common.js stands before it). Python has laid everything out and drawn it; a filter stacks the
// same slots anew, column by column. The default export is a Streamlit component; `hydrate` serves plain pages.

const SEND_MS = 250;
const SHARES = [0, 0.001, 0.01, 0.05];

class SearchTree {
  constructor(root, { svg, payload, alpha, onAlpha, onPick }) {
    this.root = root;
    this.data = payload;
    this.onAlpha = onAlpha || (() => {});
    this.onPick = onPick || null;
    this.zoom = 1;
    this.timer = null;
    this.sender = null;
    this.sent = [];
    this.open = new Set();
    this.least = payload.least;
    this.survivors = false;
    this.depth = payload.columns.length - 1;
    this.node = payload.nodes;
    this.count = this.node.parent.length;
    this.totals();
    // Two frames a step: its candidates, then the cut. An exact search has one for each expansion.
    this.frames = payload.byExpansion ? payload.frames : 2 * payload.frames;
    // Asked before anything is drawn: afterwards the answer would cost a layout of the whole picture.
    this.room = root.clientWidth;
    this.takeApart(svg);
    this.makeToolbar();
    this.listen();
    this.hidden = Array.from({ length: this.count }, (_, i) => this.shapes[i].getAttribute('display') === 'none');
    this.place = this.shapes.map((shape) => (shape.getAttribute('transform').match(/-?[\d.]+/g) || [0, 0]).map(Number));
    this.frame = this.frames;
    this.say([payload.texts.whole]);
    this.alpha = payload.alpha;
    if ((alpha ?? payload.alpha) !== payload.alpha) this.rank(alpha);
    else if (this.handle) this.handle.setAttribute('aria-valuenow', this.alpha);
  }

  totals() {
    const { parent, logProb } = this.node;
    this.total = [0];
    for (let i = 1; i < this.count; i += 1) this.total[i] = this.total[parent[i]] + logProb[i];
  }

  // ---- structure

  takeApart(markup) {
    const whole = drawingIn(this.root, markup);
    const { data } = this;
    this.size = [Number(whole.getAttribute('width')), Number(whole.getAttribute('height'))];
    this.body = part('sv-tree', [0, 0, data.width, data.height], whole.querySelector('.sv-body'));
    this.body.setAttribute('role', 'img');
    this.body.setAttribute('aria-label', whole.getAttribute('aria-label'));
    this.footWidth = Math.min(this.size[0], data.roomWidth);
    // The α axis stands above the tree, where it is seen without scrolling; in a saved picture below it.
    this.cut = data.ranking.stripBottom;
    this.foot = part('sv-legend', [0, this.cut, this.footWidth, this.size[1] - this.cut], whole.querySelector('.sv-foot'));
    this.strip = part('sv-legend sv-alphas', [0, data.height, this.footWidth, this.cut - data.height]);
    this.background = whole.querySelector(':scope > .bg');
    const axis = this.foot.querySelector('.sv-strip');
    if (axis) this.strip.append(axis);
    const children = (selector) => [...this.body.querySelector(selector).children];
    this.shapes = children('.sv-nodes');
    this.edges = children('.sv-edges');
    const cuts = children('.sv-cuts');
    this.cuts = cuts.filter((_, i) => i % 2 === 0);
    this.mores = cuts.filter((_, i) => i % 2 === 1);
    this.lines = new Map([...this.body.querySelectorAll('.sv-path')].map((line) => [line.dataset.key, line]));
    this.ranked = [...this.foot.querySelectorAll('.sv-ranked > g')];
    this.handle = this.strip.querySelector('.sv-handle');
    this.trail = document.createElementNS(SVG, 'path');
    this.trail.setAttribute('class', 'sv-trail');
    this.body.firstElementChild.append(this.trail);
    this.scroller = make('div', { class: 'sv-scroll sv-pan', tabindex: '0', role: 'group', 'aria-label': data.alt || data.texts.keys }, this.body);
    const axes = axis ? [make('div', { class: 'sv-scroll' }, this.strip)] : [];
    setStage(this, '', ...axes, this.scroller, make('div', { class: 'sv-scroll' }, this.foot));
    this.resize(this.room);
  }

  makeToolbar() {
    const { texts } = this.data;
    Object.assign(this, transport(texts, {
      least: 0,
      last: () => this.frames,
      at: () => this.frame,
      go: (frame) => this.userShows(frame),
      toggle: () => this.togglePlay(),
    }));
    this.filter = make('select', { 'aria-label': texts.show, title: texts.show });
    const option = (value, text) => this.filter.append(make('option', { value }, text));
    for (const share of SHARES) option(share, share ? fill(texts.least, { share: `${share * 100}%` }) : texts.all);
    option('survivors', texts.survivors);
    const deepest = this.depth;
    for (let step = 4; step < deepest; step *= 2) option(`until-${step}`, fill(texts.until, { step }));
    this.filter.onchange = () => {
      const { value } = this.filter;
      this.survivors = value === 'survivors';
      this.depth = value.startsWith('until-') ? Number(value.slice(6)) : deepest;
      this.least = Number(value) || 0;
      this.restack();
      this.show(this.frame, { quietly: true });
    };
    this.bar.append(
      this.filter,
      textButton('−', texts.zoom_out, () => this.zoomBy(1 / 1.25)),
      textButton('+', texts.zoom_in, () => this.zoomBy(1.25)),
      textButton('⤢', texts.fit, () => this.zoomTo(1)),
      textButton('SVG', texts.svg, () => this.save('svg')),
      textButton('PNG', texts.png, () => this.save('png')),
    );
    this.root.prepend(this.bar);
    if (!this.handle) return;
    const slider = { role: 'slider', tabindex: 0, 'aria-label': texts.alpha, 'aria-valuemin': 0, 'aria-valuemax': 2 };
    for (const [name, value] of Object.entries(slider)) this.handle.setAttribute(name, value);
    this.alphaNow = this.strip.querySelector('.sv-alpha');
  }

  resize(room) {
    if (!room || room === this.sized) return;
    this.sized = room;
    const { data } = this;
    // The whole search where it fits, but never too small to read: presenter size stays above 16 pixels.
    const least = data.fontSize >= 16 ? 16 / data.small : 0.85;
    this.scale = clamp(room / data.width, Math.min(least, 1), data.fontSize >= 16 ? 1.35 : 1.4);
    this.footScale = clamp(room / this.footWidth, Math.min(least, 1), Math.max(this.scale, 1));
    this.sizeBody();
    this.foot.setAttribute('width', this.footWidth * this.footScale);
    this.foot.setAttribute('height', (this.size[1] - this.cut) * this.footScale);
    this.strip.setAttribute('width', this.footWidth * this.footScale);
    this.strip.setAttribute('height', (this.cut - data.height) * this.footScale);
  }

  sizeBody() {
    const height = this.height || this.data.height;
    const width = this.shownWidth();
    this.body.setAttribute('viewBox', `0 0 ${width} ${height}`);
    this.body.setAttribute('width', width * this.scale * this.zoom);
    this.body.setAttribute('height', height * this.scale * this.zoom);
  }

  shownWidth() {
    const { columns, width } = this.data;
    const last = columns[this.depth];
    return this.depth === columns.length - 1 ? width : last.x + last.width + 14;
  }

  // What the reader had set in the same search, drawn with less news.
  keep({ filter, zoom, open }) {
    if (filter !== this.filter.value || open.size) {
      this.open = open;
      this.filter.value = filter;
      this.filter.onchange();
    }
    if (zoom !== 1) this.zoomTo(zoom);
  }

  zoomBy(factor) {
    this.zoomTo(clamp(this.zoom * factor, 0.3, 4));
  }

  zoomTo(zoom) {
    const { scroller } = this;
    const middle = (scroller.scrollLeft + scroller.clientWidth / 2) / this.zoom;
    this.zoom = zoom;
    this.sizeBody();
    scroller.scrollLeft = middle * zoom - scroller.clientWidth / 2;
    this.leave();
  }

  // ---- what the user does

  listen() {
    this.observer = new ResizeObserver((entries) => this.resize(Math.floor(entries[0].contentRect.width)));
    this.observer.observe(this.root);
    this.body.onpointermove = (event) => event.pointerType !== 'touch' && !this.dragged && this.point(event);
    this.body.onpointerleave = () => this.leave();
    this.body.onclick = (event) => this.click(event);
    this.scroller.addEventListener('wheel', (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      this.zoomBy(event.deltaY < 0 ? 1.1 : 1 / 1.1);
    }, { passive: false });
    this.drag(this.scroller, (event, start) => {
      if (Math.abs(event.clientX - start.x) > 4) this.dragged = true;
      if (this.dragged) this.scroller.scrollLeft = start.left - (event.clientX - start.x);
    });
    this.strip.onpointerdown = (event) => this.grabAlpha(event);
    this.root.onkeydown = (event) => this.key(event);
  }

  // A mouse moves the picture under it; fingers scroll by themselves.
  drag(element, move) {
    element.addEventListener('pointerdown', (event) => {
      this.dragged = false;
      if (event.pointerType === 'touch' || event.button) return;
      const start = { x: event.clientX, left: element.scrollLeft };
      const moved = (next) => move(next, start);
      const done = () => {
        removeEventListener('pointermove', moved);
        removeEventListener('pointerup', done);
      };
      addEventListener('pointermove', moved);
      addEventListener('pointerup', done);
    });
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const { tagName } = event.target;
    if (event.target === this.handle && this.keyAlpha(event)) return;
    if (tagName === 'SELECT' || (tagName === 'INPUT' && event.key !== ' ')) return;
    const moves = { ArrowLeft: this.frame - 1, ArrowRight: this.frame + 1, Home: 0, End: this.frames };
    if (event.key === ' ' && tagName !== 'BUTTON') this.togglePlay();
    else if (event.key === 'Escape') this.leave();
    else if (event.key === '+' || event.key === '=') this.zoomBy(1.25);
    else if (event.key === '-') this.zoomBy(1 / 1.25);
    else if (event.key in moves) this.userShows(moves[event.key]);
    else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') this.walk(event.key === 'ArrowDown' ? 1 : -1);
    else if (event.key === 'Enter' && tagName !== 'BUTTON' && this.cursor && this.onPick) this.onPick(this.prefix(this.cursor));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // Up and down go through the hypotheses of the step that is shown, Enter forces the one in focus.
  walk(offset) {
    const { data, node } = this;
    const last = data.columns.length - 1;
    const here = data.byExpansion || this.frame === this.frames ? node.step[this.cursor] || 1 : Math.ceil(this.frame / 2);
    const column = data.columns[clamp(here, 1, last)] || data.columns[last];
    const shown = [...column.kept, ...column.dropped].filter((i) => i && this.isVisible(i));
    if (!shown.length) return;
    const place = shown.indexOf(this.cursor);
    this.cursor = shown[place < 0 ? 0 : clamp(place + offset, 0, shown.length - 1)];
    const box = this.body.getBoundingClientRect();
    this.showTip(this.cursor, box.top + (this.place[this.cursor][1] + data.smallHeight) * this.scale * this.zoom);
    this.live.textContent = this.tip.innerText;
  }

  isVisible(i) {
    return !this.hidden[i] && this.shapes[i].getAttribute('visibility') !== 'hidden';
  }

  // On the handle of the strip the arrows move α, Page Up and Down go to the next crossover.
  keyAlpha(event) {
    const { crossovers } = this.data;
    const next = {
      ArrowLeft: this.alpha - 0.05, ArrowDown: this.alpha - 0.05, ArrowRight: this.alpha + 0.05, ArrowUp: this.alpha + 0.05,
      Home: 0, End: 2,
      PageUp: crossovers.find((each) => each > this.alpha + 1e-9) ?? 2,
      PageDown: crossovers.findLast((each) => each < this.alpha - 1e-9) ?? 0,
    }[event.key];
    if (next === undefined) return false;
    this.userRanks(clamp(Math.round(next * 1e4) / 1e4, 0, 2));
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  click(event) {
    if (this.dragged) return;
    const index = this.at(event);
    if (index === null) return;
    if (typeof index === 'string') {
      const column = Number(index);
      if (!this.open.delete(column)) this.open.add(column);
      this.restack();
      return;
    }
    this.stage.focus({ preventScroll: true });
    if (event.pointerType === 'touch' && this.touched !== index) {
      this.touched = index;
      this.point(event);
      return;
    }
    if (this.onPick) this.onPick(this.prefix(index));
  }

  // ---- frames

  userShows(frame) {
    this.stop();
    this.show(clamp(frame, 0, this.frames), {});
  }

  togglePlay() {
    if (this.timer) {
      this.stop();
      return;
    }
    showPlaying(this.playButton, this.data.texts, true);
    if (this.frame >= this.frames) this.show(0, {});
    this.timer = setInterval(() => {
      if (this.frame >= this.frames) this.stop();
      else this.show(this.frame + 1, {});
    }, PLAY_MS);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    showPlaying(this.playButton, this.data.texts, false);
  }

  show(frame, { quietly = false }) {
    const { data, node } = this;
    this.frame = frame;
    const born = data.byExpansion ? frame : Math.ceil(frame / 2);
    const undecided = !data.byExpansion && frame % 2 === 1;
    const whole = frame === this.frames;
    for (let i = 0; i < this.count; i += 1) {
      const seen = whole || (node.born[i] <= born && node.fate[i] !== 'ghost');
      const isNew = !whole && seen && node.born[i] === born && i > 0;
      this.shapes[i].setAttribute('visibility', seen ? 'visible' : 'hidden');
      this.shapes[i].classList.toggle('sv-new', isNew && undecided);
      if (i) this.edges[i - 1].setAttribute('visibility', seen ? 'visible' : 'hidden');
    }
    for (const [key, line] of this.lines) {
      data.paths[key].forEach((index, step) => {
        const found = whole || (node.born[index] < born + (undecided ? 0 : 1) && node.fate[index] !== 'ghost');
        const seen = found && node.step[index] <= this.depth;
        line.children[step].setAttribute('visibility', seen ? 'visible' : 'hidden');
      });
    }
    data.columns.forEach((column, step) => {
      const seen = (whole || data.byExpansion || step < born || (step === born && !undecided)) && step <= this.depth;
      this.cuts[step].setAttribute('visibility', seen ? 'visible' : 'hidden');
      this.mores[step].setAttribute('visibility', whole || step <= born ? 'visible' : 'hidden');
    });
    const words = this.frameWords(born, undecided);
    this.say(words);
    if (!quietly) this.live.textContent = words.join(' ');
    if (!quietly && !whole) this.reveal(Math.min(born, data.columns.length - 1));
  }

  say(words) {
    this.now.replaceChildren(...words.map((text, i) => (i ? ` ${text}` : make('b', {}, text))));
    this.slider.value = this.frame;
    this.slider.setAttribute('aria-valuetext', words.join(' '));
  }

  frameWords(born, undecided) {
    const { texts, columns, vocabulary, frames, byExpansion } = this.data;
    if (this.frame === this.frames) return [texts.whole];
    if (!this.frame) return [texts.begin];
    if (byExpansion) return [fill(texts.expansion, { step: born, steps: frames })];
    const column = columns[born];
    const where = `${fill(texts.step, { step: born, steps: frames })}:`;
    if (undecided) {
      const { expanded } = column;
      return [where, fill(texts.candidates, { expanded, n: vocabulary, count: expanded * vocabulary })];
    }
    const finished = column.kept.filter((i) => this.node.fate[i] === 'finished').length;
    return [where, fill(texts.cut, { kept: column.kept.length - finished, finished })];
  }

  reveal(step) {
    const { scroller, data } = this;
    const scale = this.scale * this.zoom;
    const left = data.columns[step].x * scale;
    const right = left + data.columns[step].width * scale;
    if (left < scroller.scrollLeft || right > scroller.scrollLeft + scroller.clientWidth) {
      scroller.scrollLeft = Math.max(0, right - scroller.clientWidth + 20);
    }
  }

  // ---- stacking: as seqviz/charts/search_tree_layout.py does it

  restack() {
    const { data, node } = this;
    const always = new Set(Object.values(data.paths).flat());
    if (data.finished.length) for (let i = data.finished[0][0]; i > 0; i = node.parent[i]) always.add(i);
    let bottom = data.top;
    data.columns.forEach((column, step) => {
      const all = [...column.kept, ...column.dropped];
      const isOpen = this.open.has(step);
      let room = data.rows - all.filter((i) => always.has(i)).length;
      let [folded, mass] = column.leftOut;
      for (const i of all) {
        const small = Math.exp(this.total[i]) < this.least || (this.survivors && column.dropped.includes(i));
        const deep = step > this.depth;
        const behind = i > 0 && this.hidden[node.parent[i]];
        this.hidden[i] = deep || (!always.has(i) && (small || behind || (!isOpen && room <= 0)));
        if (!always.has(i) && !this.hidden[i]) room -= 1;
        if (this.hidden[i]) {
          folded += 1;
          mass += Math.exp(this.total[i]);
        }
      }
      let y = data.top;
      const take = (height) => (i) => {
        if (this.hidden[i]) return;
        this.place[i] = [column.x, y];
        y += height;
      };
      column.kept.forEach(take(data.rowHeight));
      const cut = column.dropped.some((i) => !this.hidden[i]);
      this.cuts[step].setAttribute('display', cut ? 'inline' : 'none');
      if (cut) {
        this.cuts[step].setAttribute('transform', `translate(${column.x} ${y + data.smallHeight / 2})`);
        y += data.smallHeight;
      }
      column.dropped.forEach(take(data.smallHeight));
      const more = this.mores[step];
      const unfolds = (folded > 0 || isOpen) && step <= this.depth;
      more.setAttribute('display', unfolds ? 'inline' : 'none');
      column.moreY = unfolds ? y : null;
      if (unfolds) {
        more.setAttribute('transform', `translate(${column.x} ${y})`);
        more.firstElementChild.textContent = folded ? `+${folded} · P = ${share(mass)}` : '▴';
        y += data.smallHeight;
      }
      bottom = Math.max(bottom, y);
    });
    this.height = bottom + 10;
    this.draw();
    this.sizeBody();
  }

  draw() {
    for (let i = 0; i < this.count; i += 1) {
      this.shapes[i].setAttribute('display', this.hidden[i] ? 'none' : 'inline');
      this.shapes[i].setAttribute('transform', `translate(${this.place[i].join(' ')})`);
      if (!i) continue;
      this.edges[i - 1].setAttribute('display', this.hidden[i] || this.hidden[this.node.parent[i]] ? 'none' : 'inline');
      if (!this.hidden[i]) this.edges[i - 1].setAttribute('d', this.edge(i, 0));
    }
    for (const [key, line] of this.lines) this.drawPath(key, line);
  }

  drawPath(key, line) {
    const nodes = this.data.paths[key];
    while (line.children.length < nodes.length) line.append(document.createElementNS(SVG, 'path'));
    while (line.children.length > nodes.length) line.lastElementChild.remove();
    nodes.forEach((index, step) => line.children[step].setAttribute('d', this.edge(index, this.data.offsets[key])));
  }

  heightOf(i) {
    return i === 0 || ['open', 'expanded', 'finished'].includes(this.node.fate[i]) ? this.data.rowHeight : this.data.smallHeight;
  }

  edge(i, offset) {
    const parent = this.node.parent[i];
    const [px, py] = this.place[parent];
    const [x1, top] = this.place[i];
    const x0 = px + this.data.columns[this.node.step[parent]].width;
    const y0 = py + this.heightOf(parent) / 2 + offset;
    const y1 = top + this.heightOf(i) / 2 + offset;
    const middle = (x0 + x1) / 2;
    return `M${x0} ${y0}C${middle} ${y0} ${middle} ${y1} ${x1} ${y1}`;
  }

  // ---- ranking for another α: no model, no server

  userRanks(alpha) {
    this.rank(alpha);
    clearTimeout(this.sender);
    this.sender = setTimeout(() => {
      this.sent.push(this.alpha);
      this.onAlpha(this.alpha);
    }, SEND_MS);
  }

  receive(alpha) {
    if (alpha === null || alpha === undefined) return;
    const echo = this.sent.indexOf(alpha);
    if (echo >= 0) this.sent.splice(0, echo + 1);
    else if (alpha !== this.alpha) this.rank(alpha);
  }

  grabAlpha(event) {
    const { strip } = this.data.ranking;
    if (!strip || event.button) return;
    const box = this.strip.getBoundingClientRect();
    const at = (next) => clamp((2 * ((next.clientX - box.left) / this.footScale - strip[0])) / (strip[1] - strip[0]), 0, 2);
    const y = this.data.height + (event.clientY - box.top) / this.footScale;
    if (y < strip[2] - 24 || y > strip[3] + 24) return;
    event.preventDefault();
    this.handle.focus({ preventScroll: true });
    const move = (next) => this.userRanks(Math.round(at(next) * 100) / 100);
    const done = () => {
      removeEventListener('pointermove', move);
      removeEventListener('pointerup', done);
    };
    addEventListener('pointermove', move);
    addEventListener('pointerup', done);
    move(event);
  }

  score([, length, logProb, , coverage]) {
    return logProb / length ** this.alpha + (coverage === undefined ? 0 : this.data.coverage * coverage);
  }

  rank(alpha) {
    this.alpha = alpha;
    const { data } = this;
    if (!this.handle || !data.finished.length) return;
    const [left, right] = data.ranking.strip;
    this.handle.setAttribute('transform', `translate(${left + (alpha / 2) * (right - left)} 0)`);
    this.handle.setAttribute('aria-valuenow', alpha);
    this.alphaNow.textContent = fill(data.texts.alpha_now, { alpha: alpha.toFixed(2) });
    const order = data.finished.map((one, i) => [this.score(one), i]).sort((a, b) => b[0] - a[0] || a[1] - b[1]);
    this.ranked.forEach((line, place) => {
      const [score, i] = order[place];
      const [, length, logProb, text] = data.finished[i];
      const values = [place + 1, text, length, short(Math.exp(logProb)), minus(logProb.toFixed(4)), minus(score.toFixed(4)),
        place ? (order[0][0] - score).toFixed(4) : ''];
      [...line.children].forEach((cell, column) => {
        if (column !== 1) cell.textContent = values[column];
        else if (cell.dataset.full !== text) {
          cell.dataset.full = text;
          cell.textContent = text;
          const room = data.ranking.columns[1] - data.ranking.columns[0] - 40;
          for (let kept = text.length; kept > 1 && cell.getComputedTextLength() > room; kept -= 1) {
            cell.textContent = `${text.slice(0, kept)}…`;
          }
        }
      });
    });
    this.crown(data.finished[order[0][1]][0]);
  }

  crown(winner) {
    const { data } = this;
    for (const [index] of data.finished) {
      const mark = index >= 0 ? this.shapes[index].querySelector('.tw, .tc') : null;
      if (!mark) continue;
      mark.setAttribute('class', index === winner ? 'tw' : 'tc');
      mark.setAttribute('d', data.marks[index === winner ? 'winner' : 'finished']);
    }
    const line = this.lines.get(data.follows);
    if (!line || winner < 0 || data.paths[data.follows].at(-1) === winner) return;
    data.paths[data.follows] = this.path(winner);
    const legend = this.foot.querySelector(`[data-label="${data.follows}"]`);
    const text = data.finished.find(([index]) => index === winner)[3];
    if (legend) legend.textContent = `${data.labels[data.follows]}: ${text} (P = ${short(Math.exp(this.total[winner]))})`;
    this.restack();
    this.drawPath(data.follows, line);
    this.show(this.frame, { quietly: true });
  }

  path(index) {
    const found = [];
    for (let i = index; i > 0; i = this.node.parent[i]) found.unshift(i);
    return found;
  }

  prefix(index) {
    return this.path(index).map((i) => this.node.token[i]);
  }

  // ---- hovering

  at(event) {
    const { data } = this;
    const box = this.body.getBoundingClientRect();
    const scale = this.scale * this.zoom;
    const x = (event.clientX - box.left) / scale;
    const y = (event.clientY - box.top) / scale;
    const step = data.columns.findIndex((column) => x >= column.x - 2 && x <= column.x + column.width + 2);
    if (step < 0) return null;
    const column = data.columns[step];
    const moreY = column.moreY === undefined ? this.firstMore(step) : column.moreY;
    if (moreY !== null && y >= moreY && y < moreY + data.smallHeight) return String(step);
    for (const i of step ? [...column.kept, ...column.dropped] : [0]) {
      if (this.isVisible(i) && y >= this.place[i][1] && y < this.place[i][1] + this.heightOf(i)) return i;
    }
    return null;
  }

  firstMore(step) {
    const more = this.mores[step];
    if (more.getAttribute('display') === 'none') return null;
    return Number(more.getAttribute('transform').match(/-?[\d.]+/g)[1]);
  }

  point(event) {
    const index = this.at(event);
    this.body.style.cursor = index === null ? 'grab' : 'pointer';
    if (index === null || typeof index === 'string') {
      this.leave();
      return;
    }
    this.cursor = index;
    this.showTip(index, event.clientY);
  }

  showTip(index, clientY) {
    this.trail.setAttribute('d', this.path(index).map((i) => this.edge(i, 0)).join('') || 'M0 0');
    if (this.hovered !== index || this.tip.hidden) this.fillTip(index);
    this.hovered = index;
    this.tip.hidden = false;
    const box = this.root.getBoundingClientRect();
    const room = this.root.clientWidth;
    const body = this.body.getBoundingClientRect().left - box.left;
    const scale = this.scale * this.zoom;
    const column = this.data.columns[this.node.step[index]];
    const right = body + (column.x + column.width) * scale + 10;
    const left = right + this.tip.offsetWidth > room ? body + column.x * scale - this.tip.offsetWidth - 10 : right;
    this.tip.style.left = `${clamp(left, 4, Math.max(4, room - this.tip.offsetWidth - 4))}px`;
    const below = clientY - box.top + 16;
    const over = clientY + this.tip.offsetHeight + 24 > innerHeight;
    this.tip.style.top = `${over ? Math.max(0, below - this.tip.offsetHeight - 32) : below}px`;
  }

  leave() {
    this.tip.hidden = true;
    this.trail.setAttribute('d', 'M0 0');
  }

  nameOf(i) {
    return this.data.names[this.node.name[i]];
  }

  // The beginning up to a hypothesis as people read it; pieces bring their own blanks, bytes spell characters.
  words(i) {
    const { spelled: pieces } = this.data;
    if (!pieces) return this.path(i).map((one) => this.nameOf(one)).join(' ');
    const names = this.path(i).map((one) => pieces[this.node.name[one]]);
    const bytes = (run) => new TextDecoder().decode(Uint8Array.from(run.split('\u0001').slice(1), Number));
    const text = names.map((name) => (/^<0x[0-9A-F]{2}>$/.test(name) ? `\u0001${name.slice(1, -1)}` : name)).join('\u0002');
    const spelled = text.replace(/\u0001[^\u0001\u0002]+(\u0002\u0001[^\u0001\u0002]+)*/g, (run) => bytes(run.replaceAll('\u0002', '')));
    return spelled.replaceAll('\u0002', '').replaceAll('‿▁', '').replaceAll('‿', '').replaceAll('▁', ' ').replace('<eos>', ' <eos>').trim();
  }

  fillTip(i) {
    const { data, node } = this;
    const { texts } = data;
    const value = (name, text) => make('div', { class: 'sv-v' }, make('span', {}, name), make('code', {}, text));
    const lines = [make('div', { class: 'sv-h' }, this.words(i) || texts.start)];
    if (i) {
      const reason = texts.reasons[node.reason[i]];
      const fate = texts.fates[node.fate[i]] + (reason ? `: ${reason}` : '');
      lines.push(make('div', { class: 'sv-m' }, fate));
      lines.push(value(texts.given, digits(Math.exp(node.logProb[i]))));
      lines.push(value(texts.total, digits(Math.exp(this.total[i]))));
      lines.push(value(texts.log_prob, digits(this.total[i])));
      if (this.alpha > 0) {
        lines.push(value(fill(texts.score, { alpha: this.alpha.toFixed(2) }), digits(this.total[i] / node.step[i] ** this.alpha)));
      }
      if (node.rank[i] >= 0) lines.push(value(texts.rank, String(node.rank[i] + 1)));
      if (node.margin[i] !== null) lines.push(value(texts.margin, digits(node.margin[i])));
      if (node.count) lines.push(value(texts.samples, String(node.count[i])));
    }
    const candidates = data.candidates[i];
    if (candidates) lines.push(this.candidateTable(i, candidates));
    if (this.onPick && node.fate[i] !== 'finished') lines.push(make('div', { class: 'sv-m' }, texts.force));
    this.tip.replaceChildren(...lines);
  }

  candidateTable(i, candidates) {
    const { texts, names } = this.data;
    const { parent, fate, name } = this.node;
    const table = make('table');
    table.append(make('tr', { class: 'sv-m' }, make('td', { colspan: 2 }, texts.next), make('td', {}, 'P')));
    const kept = new Set();
    for (let j = 1; j < this.count; j += 1) {
      if (parent[j] === i && ['open', 'expanded', 'finished'].includes(fate[j])) kept.add(name[j]);
    }
    let rest = 1;
    for (const [token, logProb] of candidates) {
      const p = Math.exp(logProb);
      rest -= p;
      const bar = make('span', { class: 'sv-fill' });
      bar.style.width = `${Math.round(p * 60)}px`;
      const line = make('tr', kept.has(token) ? { class: 'sv-right' } : {}, make('td', {}, names[token]), make('td', {}, bar));
      line.append(make('td', {}, short(p)));
      table.append(line);
    }
    if (rest > 1e-9) {
      table.append(make('tr', { class: 'sv-m' }, make('td', { colspan: 2 }, texts.rest), make('td', {}, short(rest))));
    }
    return table;
  }

  // ---- downloads: what is shown, with colours of its own

  snapshot() {
    const dress = dresser();
    const whole = document.createElementNS(SVG, 'svg');
    const height = this.height || this.data.height;
    const width = this.depth === this.data.columns.length - 1 ? this.size[0] : Math.max(this.shownWidth(), this.footWidth);
    const size = [width, height + this.size[1] - this.data.height];
    for (const [name, value] of Object.entries({ viewBox: `0 0 ${size.join(' ')}`, width: size[0], height: size[1], role: 'img' })) {
      whole.setAttribute(name, value);
    }
    whole.setAttribute('aria-label', this.body.getAttribute('aria-label'));
    whole.setAttribute('font-family', getComputedStyle(this.body).fontFamily);
    const ground = this.background.cloneNode();
    ground.removeAttribute('class');
    ground.setAttribute('height', size[1]);
    ground.setAttribute('fill', getComputedStyle(this.root).backgroundColor);
    whole.append(ground);
    const parts = [[this.body, 0], [this.strip, height - this.data.height], [this.foot, height - this.data.height]];
    for (const [svg, shift] of parts) {
      const part = svg.firstElementChild;
      if (!part) continue;
      const copy = part.cloneNode(true);
      dress(part, copy);
      copy.setAttribute('transform', `translate(0 ${shift})`);
      whole.append(copy);
    }
    return [new XMLSerializer().serializeToString(whole), size];
  }

  save(kind) {
    this.leave();
    const [text, size] = this.snapshot();
    return savePicture(kind, text, size, this.data.file);
  }

  destroy() {
    this.stop();
    clearTimeout(this.sender);
    this.observer.disconnect();
  }
}

function minus(text) {
  return text.replace(/-/g, '\u2212');
}

function short(value) {
  return minus(String(Number(value.toPrecision(4))));
}

function digits(value) {
  return plain(Number(value.toPrecision(9)));
}

function share(value) {
  return value >= 0.01 ? value.toFixed(2) : minus(String(Number(value.toPrecision(1))));
}

/** Makes a search tree live. `root` holds the SVG, or gets `svg`. Returns the tree: receive(alpha), destroy(). */
export function hydrate(root, options) {
  return new SearchTree(root, options);
}

// ---- as a Streamlit component; the page's α comes as an event from a small component of its own (app/ui/figure.py)

const trees = new WeakMap();

export default function (component) {
  const { data, parentElement, setStateValue, setTriggerValue } = component;
  const root = parentElement.querySelector('.sv-mount');
  root.classList.toggle('sv-dark', isDark(root));
  const onAlpha = (alpha) => setStateValue('alpha', alpha);
  const onPick = (prefix) => setTriggerValue('prefix', prefix);
  let entry = trees.get(parentElement);
  if (entry && entry.id === data.payload.id) {
    Object.assign(entry.tree, { onAlpha, onPick });
    return entry.release;
  }
  const active = entry && parentElement.activeElement === entry.tree.stage;
  // The same search with news, as an optimum that was found meanwhile: the reader stays at the same step.
  const same = entry && entry.tree.frames === 2 * data.payload.frames && entry.tree.data.search === data.payload.search;
  const left = same ? entry.tree.scroller.scrollLeft : 0;
  // A link may name the step at which a tree opens that nobody has seen yet.
  const opens = !entry && data.step && !data.payload.byExpansion ? 2 * data.step : null;
  const frame = same ? entry.tree.frame : opens;
  const before = same ? { filter: entry.tree.filter.value, zoom: entry.tree.zoom, open: entry.tree.open } : null;
  if (entry) entry.release();
  const alpha = globalThis.seqvizFocus?.get(data.key)?.alpha;
  const tree = hydrate(root, { svg: data.svg, payload: data.payload, alpha, onAlpha, onPick });
  if (active) tree.stage.focus({ preventScroll: true });
  if (same) tree.keep(before);
  if (left) tree.scroller.scrollLeft = left;
  if (frame !== null && frame !== tree.frame) tree.show(Math.min(frame, tree.frames), { quietly: same });
  const listener = ({ detail }) => detail.key === data.key && tree.receive(detail.focus?.alpha);
  globalThis.addEventListener('seqviz-focus', listener);
  const release = () => {
    globalThis.removeEventListener('seqviz-focus', listener);
    tree.destroy();
    trees.delete(parentElement);
  };
  entry = { id: data.payload.id, tree, release };
  trees.set(parentElement, entry);
  return release;
}
