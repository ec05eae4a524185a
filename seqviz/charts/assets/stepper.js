// What all figures with steps share: a toolbar that steps and plays, the focus that page and picture hand to each other,
// and the default export, a Streamlit component. A figure's own module follows behind it in the same file; it has a class
// that extends Stepper and a function `hydrate` that makes one for a plain page.

const SEND_MS = 160;

// The fewest digits that read back as the same float32: nine at most. What no float32 holds has seven digits.
export function exact(value) {
  const size = Math.abs(value);
  if (size > 3.4e38 || (size > 0 && size < 1.2e-38)) return plain(Number(value.toPrecision(7)));
  for (let digits = 1; digits < 9; digits += 1) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return plain(Number(text));
  }
  return plain(Number(value.toPrecision(9)));
}

function sameFocus(a, b) {
  return Boolean(a && b) && a.step === b.step && a.layer === b.layer && a.direction === b.direction && a.unit === b.unit;
}

// A figure with steps. It has `show(focus, {quietly, instantly})`, `within(focus)`, `leave()`, `snapshot()` and `observer`.
class Stepper {
  constructor(root, payload, { onFocus, onMove }) {
    this.root = root;
    this.data = payload;
    this.onFocus = onFocus || (() => {});
    this.onMove = onMove || (() => {});
    this.sent = [];
    this.incoming = null;
    this.timer = null;
    this.sender = null;
  }

  // The end of every constructor, as soon as the drawing is taken apart: the first focus, that of the page before it.
  begin(focus) {
    this.focus = null;
    this.show(this.within(focus || this.data.focus), { quietly: true, instantly: true });
    this.incoming = focus ? JSON.stringify(focus) : null;
  }

  makeToolbar() {
    const { texts, steps } = this.data;
    Object.assign(this, transport(texts, {
      least: 1,
      last: () => steps,
      at: () => this.focus.step + 1,
      go: (place) => this.userMoves({ step: place - 1 }),
      toggle: () => this.togglePlay(),
    }));
    for (const kind of ['svg', 'png']) this.bar.append(textButton(kind.toUpperCase(), texts[kind], () => this.save(kind)));
    this.root.prepend(this.bar);
  }

  userMoves(change) {
    if (!('step' in change) || !this.playing) this.stop();
    const wanted = this.within({ ...this.focus, ...change });
    if (sameFocus(wanted, this.focus)) {
      if (this.slider) this.slider.value = wanted.step + 1;
      return;
    }
    this.show(wanted, {});
  }

  togglePlay() {
    if (this.playing) {
      this.stop();
      return;
    }
    this.playing = true;
    showPlaying(this.playButton, this.data.texts, true);
    // A backward pass plays from the last step to the first.
    const [first, last, next] = this.data.backwards ? [this.data.steps - 1, 0, -1] : [0, this.data.steps - 1, 1];
    if (this.focus.step === last) this.show(this.within({ ...this.focus, step: first }), {});
    this.timer = setInterval(() => {
      if (this.focus.step === last) this.stop();
      else this.show(this.within({ ...this.focus, step: this.focus.step + next }), {});
    }, PLAY_MS);
  }

  stop() {
    clearInterval(this.timer);
    this.playing = false;
    if (this.playButton) showPlaying(this.playButton, this.data.texts, false);
  }

  send() {
    this.onMove({ ...this.focus });
    clearTimeout(this.sender);
    this.sender = setTimeout(() => {
      const text = JSON.stringify(this.focus);
      if (this.sent[this.sent.length - 1] === text) return;
      this.sent.push(text);
      this.onFocus({ ...this.focus });
    }, SEND_MS);
  }

  // A focus from outside. What comes back of what was sent from here is an echo, and old by now.
  // `local` is news of another picture of the page: the page will say it once more.
  receive(focus, local) {
    if (!focus) return;
    const text = JSON.stringify({ step: focus.step, layer: focus.layer, direction: focus.direction, unit: focus.unit });
    if (local) {
      this.sent.push(text);
      this.stop();
      this.show(this.within(focus), { quietly: true });
      return;
    }
    const echo = this.sent.indexOf(text);
    if (echo >= 0) this.sent.splice(0, echo + 1);
    if (echo < 0 && text !== this.incoming && !sameFocus(focus, this.focus)) {
      this.stop();
      this.show(this.within(focus), { quietly: true });
    }
    this.incoming = text;
  }

  // Scrolls to a step's column; `data.track` begins with the left edge of the columns and their width.
  reveal(step, instantly) {
    const { scroller, scale, data } = this;
    const [left, column] = data.track;
    const start = (left + step * column) * scale;
    const end = start + column * scale;
    let wanted = scroller.scrollLeft;
    if (start - 40 < wanted + left * scale) wanted = start - 40 - left * scale;
    if (end + 40 > wanted + scroller.clientWidth) wanted = end + 40 - scroller.clientWidth;
    if (step === 0) wanted = 0;
    if (wanted !== scroller.scrollLeft) {
      scroller.scrollTo({ left: wanted, behavior: instantly || this.reduced ? 'instant' : 'smooth' });
    }
  }

  save(kind) {
    this.leave();
    return savePicture(kind, this.snapshot(), this.size, this.data.file || 'seqviz');
  }

  destroy() {
    this.stop();
    clearTimeout(this.sender);
    this.observer.disconnect();
  }
}

// ---- as a Streamlit component

const pictures = new WeakMap();

// The page's focus comes as an event from a small component of its own (app/ui/figure.py): the data of this one then
// stays the same while the focus moves, and the server need not send it again. The last focus of each key is kept for
// a picture that is mounted after it. Pictures of one page that stand side by side (`peers`) tell each other at once.
export default function (component) {
  const { data, parentElement, setStateValue } = component;
  const root = parentElement.querySelector('.sv-mount');
  root.classList.toggle('sv-dark', isDark(root));
  const onFocus = (focus) => setStateValue('focus', focus);
  const onMove = (focus) => {
    for (const key of data.peers || []) {
      globalThis.dispatchEvent(new CustomEvent('seqviz-focus', { detail: { key, focus, local: true } }));
    }
  };
  let entry = pictures.get(parentElement);
  if (entry && entry.id === data.payload.id) {
    Object.assign(entry.picture, { onFocus, onMove });
    return entry.release;
  }
  const kept = entry ? entry.picture.scroller.scrollLeft : 0;
  const active = entry && parentElement.activeElement === entry.picture.stage;
  if (entry) entry.release();
  const focus = globalThis.seqvizFocus?.get(data.key);
  const picture = hydrate(root, { svg: data.svg, payload: data.payload, focus, onFocus, onMove });
  if (kept) {
    picture.scroller.scrollLeft = kept;
    picture.reveal(picture.focus.step, true);
  }
  if (active) picture.stage.focus({ preventScroll: true });
  const listener = ({ detail }) => detail.key === data.key && picture.receive(detail.focus, detail.local);
  globalThis.addEventListener('seqviz-focus', listener);
  const release = () => {
    globalThis.removeEventListener('seqviz-focus', listener);
    picture.destroy();
    pictures.delete(parentElement);
  };
  entry = { id: data.payload.id, picture, release };
  pictures.set(parentElement, entry);
  return release;
}
