// A long text whose background follows a unit. A plain ES module without dependencies: all of the text is there from the
// start, in its final layout; only the blocks near the window get their colours, so 20,000 characters scroll smoothly.
// The default export is a Streamlit component; `hydrateText` serves plain pages.

const BLOCK = 400; // pieces that are coloured together
const SENT_AFTER_MS = 120;

function escapeHtml(text) {
  return text.replace(/[&<>]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[char]);
}

function number(value, digits) {
  return String(Number(value.toPrecision(digits))).replace('-', '\u2212');
}

class ColouredText {
  constructor(root, { payload, onSpan }) {
    this.root = root;
    this.onSpan = onSpan || (() => {});
    this.cursor = null;
    this.anchor = null;
    this.drawn = new Set();
    this.build(payload);
    this.listen();
    this.receive(payload);
    const first = payload.reveal ?? payload.selection?.[0] ?? 0;
    if (first > 200) this.reveal(first);
  }

  // ---- structure

  build(data) {
    this.data = data;
    this.chars = Array.from(data.text);
    const count = data.pieces ? data.pieces.length / 2 : this.chars.length;
    this.starts = new Int32Array(count);
    this.ends = new Int32Array(count);
    let place = 0;
    for (let i = 0; i < count; i += 1) {
      this.starts[i] = place + (data.pieces ? data.pieces[2 * i] : 0);
      place = this.starts[i] + (data.pieces ? data.pieces[2 * i + 1] : 1);
      this.ends[i] = place;
    }
    this.count = count;
    this.bar = make('div', { class: 'sv-text-bar' });
    this.box = make('div', { class: 'sv-text-box', tabindex: '0', role: 'group' });
    this.body = make('div', { class: `sv-text-body${data.pieces ? '' : ' sv-mono'}` });
    this.map = make('canvas', { class: 'sv-map', 'aria-hidden': 'true' });
    this.hint = make('div', { class: 'sv-text-hint' });
    this.live = make('div', { class: 'sv-live', 'aria-live': 'polite' });
    this.blocks = [];
    for (let start = 0; start < count; start += BLOCK) {
      const block = make('span', {});
      block.dataset.block = this.blocks.length;
      block.textContent = this.plain(start, Math.min(start + BLOCK, count));
      this.blocks.push(block);
    }
    this.body.append(...this.blocks, this.chars.slice(count ? this.ends[count - 1] : 0).join(''));
    this.box.append(this.body);
    this.root.replaceChildren(this.bar, make('div', { class: 'sv-text-frame' }, this.box, this.map), this.hint, this.live);
  }

  piece(i) {
    return this.chars.slice(this.starts[i], this.ends[i]).join('');
  }

  before(i) {
    return this.chars.slice(i ? this.ends[i - 1] : 0, this.starts[i]).join('');
  }

  plain(start, end) {
    let text = '';
    for (let i = start; i < end; i += 1) text += this.before(i) + this.piece(i).replace('\n', '\u21b5\n');
    return text;
  }

  /** New numbers for the same text: colours, property, marks, sizes. */
  receive(data) {
    this.data = data;
    this.values = data.values ? floats(data.values) : null;
    this.selection = data.selection;
    const of = (spans) => {
      const inside = new Uint8Array(this.count);
      for (const [start, end] of spans || []) inside.fill(1, start, end);
      return inside;
    };
    this.marked = of(data.marks);
    this.unknown = new Set(data.unknown);
    this.root.style.setProperty('--sv-size', `${data.fontSize}px`);
    this.box.style.height = `${data.height}px`;
    this.box.setAttribute('aria-label', data.label);
    this.hint.textContent = data.texts.hint;
    this.makeBar();
    this.redraw();
    this.say(this.cursor);
  }

  makeBar() {
    const { data } = this;
    this.now = make('span', { class: 'sv-text-now' });
    this.bar.replaceChildren();
    if (this.values) {
      const ramp = Array.from({ length: data.buckets }, (_, i) => `var(--sv-${data.letter}${i})`).join(',');
      const strip = make('i', { style: `background:linear-gradient(90deg,${ramp})` });
      this.bar.append(make('span', { class: 'sv-scale' }, data.texts.low, strip, data.texts.high));
    }
    if (data.property) {
      const line = make('u', {}, data.texts.property);
      this.bar.append(make('span', { class: 'sv-scale' }, line));
    }
    for (const note of data.texts.notes) this.bar.append(make('span', { class: 'sv-scale' }, note));
    this.bar.append(this.now);
  }

  // ---- colours

  bucket(value) {
    const { data } = this;
    const share = value / (data.limit || 1);
    if (data.letter !== 'd') return Math.floor(clamp(share, 0, 1) * (data.buckets - 1) + 0.5);
    const half = (data.buckets - 1) / 2;
    const scaled = clamp(share, -1, 1) * half;
    return Math.sign(scaled) * Math.floor(Math.abs(scaled) + 0.5) + half;
  }

  classes(i) {
    const names = [];
    if (this.values) names.push(this.data.letter + this.bucket(this.values[i]));
    if (this.data.property?.[i] === '1') names.push('sv-pr');
    if (this.unknown.has(i)) names.push('sv-un');
    if (this.marked[i]) names.push('sv-mt');
    if (this.selection && i >= this.selection[0] && i < this.selection[1]) names.push('sv-se');
    if (i === this.cursor) names.push('sv-cu');
    return names.join(' ');
  }

  draw(index) {
    const start = index * BLOCK;
    let html = '';
    for (let i = start; i < Math.min(start + BLOCK, this.count); i += 1) {
      const piece = escapeHtml(this.piece(i)).replace('\n', '<span class="sv-nl">\u21b5</span>\n');
      html += `${escapeHtml(this.before(i))}<span data-i="${i}" class="${this.classes(i)}">${piece}</span>`;
    }
    this.blocks[index].innerHTML = html;
    this.drawn.add(index);
  }

  undraw(index) {
    const start = index * BLOCK;
    this.blocks[index].textContent = this.plain(start, Math.min(start + BLOCK, this.count));
    this.drawn.delete(index);
  }

  redraw() {
    for (const index of this.drawn) this.draw(index);
    this.drawMap();
  }

  restyle(from, to) {
    for (let i = Math.max(0, from); i < Math.min(to, this.count); i += 1) {
      const element = this.element(i);
      if (element) element.className = this.classes(i);
    }
  }

  element(i) {
    return this.blocks[Math.floor(i / BLOCK)]?.querySelector(`[data-i="${i}"]`);
  }

  // The strip at the right: the whole text at a glance, the window in it, and the marked spans.
  drawMap() {
    const height = this.box.clientHeight;
    const width = 22;
    if (!height) return;
    const ratio = globalThis.devicePixelRatio || 1;
    Object.assign(this.map, { width: width * ratio, height: height * ratio });
    this.map.style.height = `${height}px`;
    const paint = this.map.getContext('2d');
    paint.scale(ratio, ratio);
    const style = getComputedStyle(this.root);
    const colour = (name) => style.getPropertyValue(`--sv-${name}`).trim();
    const total = Math.max(this.box.scrollHeight, 1);
    const tops = this.blocks.map((block) => block.offsetTop);
    tops.push(this.body.offsetTop + this.body.offsetHeight);
    const y = (i) => {
      const b = Math.min(Math.floor(i / BLOCK), this.blocks.length - 1);
      const size = Math.min(BLOCK, this.count - b * BLOCK);
      return ((tops[b] + ((i - b * BLOCK) / size) * (tops[b + 1] - tops[b])) / total) * height;
    };
    if (this.values) {
      const sums = new Float64Array(height + 1);
      const counts = new Int32Array(height + 1);
      for (let i = 0; i < this.count; i += 1) {
        const row = clamp(Math.floor(y(i)), 0, height);
        sums[row] += this.values[i];
        counts[row] += 1;
      }
      for (let row = 0, last = null; row < height; row += 1) {
        if (counts[row]) last = colour(this.data.letter + this.bucket(sums[row] / counts[row]));
        if (!last) continue;
        paint.fillStyle = last;
        paint.fillRect(8, row, width - 8, 1);
      }
    }
    paint.fillStyle = colour('accent');
    for (const [start, end] of this.data.marks || []) paint.fillRect(2, y(start), 5, Math.max(2, y(end) - y(start)));
    if (this.selection) {
      paint.fillStyle = colour('text');
      paint.fillRect(0, y(this.selection[0]) - 1, width, Math.max(3, y(this.selection[1]) - y(this.selection[0])));
    }
    paint.strokeStyle = colour('text');
    paint.lineWidth = 1.5;
    const window = (this.box.clientHeight / total) * height;
    paint.strokeRect(1, (this.box.scrollTop / total) * height + 1, width - 2, Math.max(6, window - 2));
  }

  // ---- what the reader does

  listen() {
    this.observer = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) {
          const index = Number(target.dataset.block);
          if (isIntersecting && !this.drawn.has(index)) this.draw(index);
          else if (!isIntersecting && this.drawn.has(index)) this.undraw(index);
        }
      },
      { root: this.box, rootMargin: '400px 0px' },
    );
    for (const block of this.blocks) this.observer.observe(block);
    this.sizes = new ResizeObserver(() => this.drawMap());
    this.sizes.observe(this.box);
    this.box.onscroll = () => {
      cancelAnimationFrame(this.frame);
      this.frame = requestAnimationFrame(() => this.drawMap());
    };
    const at = (event) => {
      const found = event.target.closest?.('[data-i]');
      return found ? Number(found.dataset.i) : null;
    };
    const under = (event) => {
      const found = this.root.getRootNode().elementFromPoint(event.clientX, event.clientY)?.closest?.('[data-i]');
      return found ? Number(found.dataset.i) : null;
    };
    this.box.onmouseover = (event) => this.say(at(event) ?? this.cursor);
    this.box.onmouseleave = () => this.say(this.cursor);
    this.box.onkeydown = (event) => this.key(event);
    const drag = (event) => {
      const i = under(event);
      if (i === null || this.from === null) return;
      if (i !== this.from) this.dragged = true;
      if (this.data.brush) this.select(this.from, i);
      this.say(i);
    };
    this.from = null;
    this.box.onpointerdown = (event) => {
      const i = at(event);
      if (i === null || event.button) return;
      this.from = i;
      this.dragged = false;
      if (event.pointerType !== 'mouse') return; // a finger scrolls; it taps start and end
      this.box.onpointermove = drag;
    };
    const up = (event) => {
      if (this.from === null) return;
      const i = under(event) ?? this.from;
      this.box.onpointermove = null;
      const moved = this.dragged || (event.pointerType !== 'mouse' && i !== this.from);
      if (this.dragged && this.data.brush) this.finish(this.selection);
      else if (!moved) this.tap(i, event.shiftKey);
      this.from = null;
    };
    this.box.onpointerup = up;
    this.box.onpointercancel = () => {
      this.from = null;
      this.box.onpointermove = null;
    };
    const jump = (event) => {
      const share = event.offsetY / Math.max(1, this.map.clientHeight);
      this.box.scrollTop = share * this.box.scrollHeight - this.box.clientHeight / 2;
    };
    this.map.onpointerdown = (event) => {
      this.map.setPointerCapture(event.pointerId);
      jump(event);
      this.map.onpointermove = jump;
    };
    this.map.onpointerup = () => {
      this.map.onpointermove = null;
    };
  }

  /** A click or tap: the first one sets the start, the second one the end. */
  tap(i, extend) {
    this.moveTo(i, { quietly: true });
    if (!this.data.brush) return;
    if (this.anchor === null && !extend) {
      this.anchor = i;
      this.select(i, i);
      this.now.textContent = this.data.texts.second;
      return;
    }
    this.select(this.anchor ?? this.selection?.[0] ?? i, i);
    this.finish(this.selection);
  }

  select(from, to) {
    const before = this.selection;
    this.selection = [Math.min(from, to), Math.max(from, to) + 1];
    if (before) this.restyle(before[0], before[1]);
    this.restyle(this.selection[0], this.selection[1]);
    this.drawMap();
  }

  finish(span) {
    this.anchor = null;
    if (!span) return;
    clearTimeout(this.sender);
    this.sender = setTimeout(() => this.onSpan({ start: span[0], end: span[1] }), SENT_AFTER_MS);
  }

  moveTo(i, { quietly = false } = {}) {
    const before = this.cursor;
    this.cursor = clamp(i, 0, this.count - 1);
    if (before !== null) this.restyle(before, before + 1);
    if (!quietly) this.reveal(this.cursor);
    this.restyle(this.cursor, this.cursor + 1);
    this.say(this.cursor);
    if (!quietly) this.live.textContent = this.now.textContent;
  }

  line(direction) {
    const here = this.element(this.cursor)?.getBoundingClientRect();
    if (!here) return this.cursor + direction * 40;
    const height = parseFloat(getComputedStyle(this.body).lineHeight);
    const y = here.top + here.height / 2 + direction * height;
    for (let x = here.left + here.width / 2; x > this.body.getBoundingClientRect().left; x -= 12) {
      const found = this.root.getRootNode().elementFromPoint(x, y)?.closest?.('[data-i]');
      if (found) return Number(found.dataset.i);
    }
    return this.cursor + direction * 40;
  }

  key(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 'down', ArrowUp: 'up', Home: 'home', End: 'end', n: 'next', p: 'last' };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Escape') {
      this.anchor = null;
      this.select(this.cursor ?? 0, this.cursor ?? 0);
      return;
    }
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      if (event.key === 'Enter' && this.selecting) this.finish(this.selection);
      else if (this.cursor !== null) this.tap(this.cursor, false);
      this.selecting = false;
      return;
    }
    const move = step[event.key];
    if (!move) return;
    event.preventDefault();
    const from = this.cursor ?? this.firstVisible();
    if (this.cursor === null) this.cursor = from;
    const starts = (this.data.marks || []).map(([start]) => start).sort((a, b) => a - b);
    const target = {
      1: from + 1,
      [-1]: from - 1,
      down: move === 'down' ? this.line(1) : 0,
      up: move === 'up' ? this.line(-1) : 0,
      home: 0,
      end: this.count - 1,
      next: starts.find((start) => start > from) ?? from,
      last: starts.findLast((start) => start < from) ?? from,
    }[move];
    this.moveTo(target);
    if (!this.data.brush) return;
    if (event.shiftKey) {
      if (!this.selecting) this.pivot = from;
      this.selecting = true;
      this.select(this.pivot, this.cursor);
    } else if (this.anchor !== null) this.select(this.anchor, this.cursor);
  }

  firstVisible() {
    const box = this.box.getBoundingClientRect();
    for (let y = box.top + 16; y < box.bottom; y += 8) {
      const found = this.root.getRootNode().elementFromPoint(box.left + 24, y)?.closest?.('[data-i]');
      if (found) return Number(found.dataset.i);
    }
    return 0;
  }

  reveal(i) {
    const index = clamp(Math.floor(i / BLOCK), 0, this.blocks.length - 1);
    if (!this.drawn.has(index)) this.draw(index);
    const element = this.element(i);
    if (!element) return;
    const box = this.box.getBoundingClientRect();
    const place = element.getBoundingClientRect();
    if (place.top < box.top + 8) this.box.scrollTop += place.top - box.top - box.height / 3;
    else if (place.bottom > box.bottom - 8) this.box.scrollTop += place.bottom - box.bottom + box.height / 3;
  }

  say(i) {
    if (i === null || i === undefined || i >= this.count) {
      this.now.textContent = '';
      return;
    }
    const { data } = this;
    const shown = this.piece(i).replace('\n', '\u21b5').replace(' ', '\u2423');
    const value = this.values ? number(this.values[i], data.digits) : '';
    const says = [fill(this.values ? data.texts.value : data.texts.place, { step: i + 1, piece: shown, value })];
    if (data.property?.[i] === '1') says.push(data.texts.property);
    if (data.numbers) says.push(`${data.texts.property}: ${data.numbers[i]}`);
    if (this.unknown.has(i)) says.push(data.texts.unknown);
    this.now.textContent = says.join(' \u00b7 ');
    this.now.title = this.now.textContent;
  }

  destroy() {
    this.observer.disconnect();
    this.sizes.disconnect();
    clearTimeout(this.sender);
    cancelAnimationFrame(this.frame);
  }
}

/** Makes a coloured text inside `root`: receive(payload), reveal(step), destroy(). */
export function hydrateText(root, options) {
  return new ColouredText(root, options);
}

// ---- as a Streamlit component

const texts = new WeakMap();

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector('.sv-mount');
  root.classList.toggle('sv-dark', isDark(root));
  const onSpan = (span) => setTriggerValue('span', span);
  const { payload } = data;
  let entry = texts.get(parentElement);
  if (entry && entry.id === payload.id) {
    entry.text.onSpan = onSpan;
    if (entry.version !== payload.version) {
      entry.text.receive(payload);
      if (payload.reveal !== null && payload.reveal !== entry.reveal) entry.text.reveal(payload.reveal);
    }
    Object.assign(entry, { version: payload.version, reveal: payload.reveal });
    return entry.release;
  }
  if (entry) entry.release();
  const text = hydrateText(root, { payload, onSpan });
  const release = () => {
    text.destroy();
    texts.delete(parentElement);
  };
  entry = { id: payload.id, version: payload.version, reveal: payload.reveal, text, release };
  texts.set(parentElement, entry);
  return release;
}
