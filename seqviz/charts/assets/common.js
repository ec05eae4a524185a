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
