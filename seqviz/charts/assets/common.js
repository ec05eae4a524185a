// What every live picture shares: elements, icons, numbers, downloads. It is put before each picture's own module.

const SVG = 'http://www.w3.org/2000/svg';
const PLAY_MS = 500;
const ICONS = {
  first: 'M3 3h2v10H3zM13 3v10L6 8z',
  back: 'M12 3v10L4 8z',
  play: 'M4 2.5v11L13.5 8z',
  pause: 'M4 3h3v10H4zM9 3h3v10H9z',
  forward: 'M4 3v10l8-5z',
  last: 'M11 3h2v10h-2zM3 3v10l7-5z',
};

function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// The finished drawing of a picture: what was sent, or what stands on the page already.
function drawingIn(root, markup) {
  const holder = make('div');
  if (markup) holder.innerHTML = markup;
  return (markup ? holder : root).querySelector('svg');
}

// A piece of a drawing as a drawing of its own, with its size before any scaling.
function part(classes, [x, y, width, height], ...content) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `${x} ${y} ${width} ${height}`);
  svg.setAttribute('class', `sv ${classes}`);
  svg.dataset.width = width;
  svg.dataset.height = height;
  svg.append(...content);
  return svg;
}

function scrolling(...children) {
  return make('div', { class: 'sv-scroll' }, make('div', { class: 'sv-wide' }, ...children));
}

// The place of a picture: a stage that takes the keys, its tooltip, and a line that is read aloud.
function setStage(picture, classes, ...children) {
  const { root, data } = picture;
  picture.tip = make('div', { class: 'sv-tip', hidden: '' });
  picture.stage = make('div', { class: `sv-stage${classes}`, tabindex: '0', role: 'group', 'aria-label': data.texts.keys }, ...children);
  picture.live = make('div', { class: 'sv-live', 'aria-live': 'polite' });
  root.style.setProperty('--sv-size', `${Math.max(data.fontSize, 14)}px`);
  root.replaceChildren(picture.stage, picture.tip, picture.live);
}

function floats(base64) {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

function plain(number) {
  return String(number).replaceAll('-', '\u2212');
}

function fill(template, values) {
  return template.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

function iconButton(name, label, action) {
  const icon = document.createElementNS(SVG, 'svg');
  icon.setAttribute('viewBox', '0 0 16 16');
  icon.setAttribute('aria-hidden', 'true');
  const shape = document.createElementNS(SVG, 'path');
  shape.setAttribute('d', ICONS[name]);
  icon.append(shape);
  const element = make('button', { type: 'button', 'aria-label': label, title: label }, icon);
  element.onclick = action;
  return element;
}

function textButton(text, label, action) {
  const element = make('button', { type: 'button', 'aria-label': label, title: label }, text);
  element.onclick = action;
  return element;
}

// The toolbar that steps and plays: its buttons, a slider over the places and a line of text; more may be appended.
// `least` is the first place, `last()` the last, `at()` the one that is shown; `go(place)` is what a reader asks for.
function transport(texts, { least, last, at, go, toggle }) {
  const button = (name, action) => iconButton(name, texts[name], action);
  const playButton = button('play', toggle);
  playButton.classList.add('sv-main');
  const slider = make('input', { type: 'range', min: least, max: last(), step: 1, 'aria-label': texts.slider });
  slider.oninput = () => go(Number(slider.value));
  const now = make('span', { class: 'sv-now' });
  const bar = make(
    'div',
    { class: 'sv-bar', role: 'toolbar', 'aria-label': texts.toolbar },
    button('first', () => go(least)),
    button('back', () => go(at() - 1)),
    playButton,
    button('forward', () => go(at() + 1)),
    button('last', () => go(last())),
    slider,
    now,
    make('span', { class: 'sv-space' }),
  );
  return { bar, playButton, slider, now };
}

function showPlaying(button, texts, playing) {
  const name = playing ? 'pause' : 'play';
  button.setAttribute('aria-label', texts[name]);
  button.title = texts[name];
  button.querySelector('path').setAttribute('d', ICONS[name]);
}

// Downloads the text of an SVG of a size, as it is or as a PNG of twice the size, as far as a canvas may be large.
async function savePicture(kind, text, size, name) {
  if (kind === 'svg') {
    download(new Blob([text], { type: 'image/svg+xml' }), `${name}.svg`);
    return;
  }
  const picture = new Image();
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await picture.decode();
  const scale = Math.min(2, 16000 / Math.max(...size));
  const canvas = make('canvas', { width: Math.round(size[0] * scale), height: Math.round(size[1] * scale) });
  canvas.getContext('2d').drawImage(picture, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => download(blob, `${name}.png`), 'image/png');
}

function download(blob, name) {
  const link = make('a', { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function isDark(element) {
  const probe = make('span');
  probe.style.color = 'var(--st-background-color, #fff)';
  element.append(probe);
  const [red, green, blue] = getComputedStyle(probe).color.match(/[\d.]+/g).map(Number);
  probe.remove();
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 128;
}

// Gives a copy of drawn elements the colours and fonts that the live ones have, as attributes.
function dresser() {
  const styles = new Map();
  const names = [
    'fill', 'stroke', 'stroke-width', 'stroke-dasharray', 'stroke-linecap', 'stroke-linejoin', 'font-family',
    'font-weight', 'font-style',
  ];
  const dress = (live, copy) => {
    const classes = copy.getAttribute('class');
    if (classes !== null) {
      if (!styles.has(classes)) {
        const computed = getComputedStyle(live);
        const inherited = getComputedStyle(live.parentNode);
        const own = names.filter((name) => computed.getPropertyValue(name) !== inherited.getPropertyValue(name) || name === 'fill');
        styles.set(classes, own.map((name) => [name, computed.getPropertyValue(name)]));
      }
      for (const [name, value] of styles.get(classes)) copy.hasAttribute(name) || copy.setAttribute(name, value);
      copy.removeAttribute('class');
    }
    [...live.children].forEach((child, i) => dress(child, copy.children[i]));
  };
  return dress;
}
