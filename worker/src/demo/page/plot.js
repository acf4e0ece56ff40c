// A canvas that knows its size in CSS pixels, the colours of the theme, and how to draw axes.

let colours = {};
function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["card", "ink", "soft", "faint", "rule", "grid", "h0", "h1", "alert", "mark", "score", "engine", "latency"])
    colours[name] = style.getPropertyValue("--" + name).trim();
}

const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif';

class Plot {
  constructor(id) {
    this.canvas = document.getElementById(id);
    this.pen = this.canvas.getContext("2d");
    new ResizeObserver(() => { this.resized = true; }).observe(this.canvas);
    this.resized = true;
  }

  // Whether the picture is out of date: its subject, its size or the theme is another one.
  isStale(subject) {
    const stale = this.resized || subject !== this.subject || this.theme !== colours.card;
    this.subject = subject;
    this.theme = colours.card;
    return stale;
  }

  // Begins a picture: right size, blank, default font.
  begin() {
    const dense = window.devicePixelRatio || 1;
    if (this.resized) {
      this.width = this.canvas.clientWidth;
      this.height = this.canvas.clientHeight;
      this.canvas.width = Math.round(this.width * dense);
      this.canvas.height = Math.round(this.height * dense);
      this.resized = false;
    }
    this.pen.setTransform(dense, 0, 0, dense, 0, 0);
    this.pen.clearRect(0, 0, this.width, this.height);
    this.pen.font = FONT;
    this.pen.lineJoin = "round";
    this.pen.lineCap = "round";
    return this.pen;
  }

  text(words, x, y, { align = "left", base = "alphabetic", colour = colours.soft, turn = 0 } = {}) {
    const pen = this.pen;
    pen.save();
    pen.translate(x, y);
    pen.rotate(turn);
    pen.textAlign = align;
    pen.textBaseline = base;
    pen.fillStyle = colour;
    pen.fillText(words, 0, 0);
    pen.restore();
  }

  line(x0, y0, x1, y1, colour, { width = 1, dash = [] } = {}) {
    const pen = this.pen;
    pen.beginPath();
    pen.setLineDash(dash);
    pen.moveTo(x0, y0);
    pen.lineTo(x1, y1);
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.stroke();
    pen.setLineDash([]);
  }

  // Calls `draw` with drawing limited to `box`.
  within(box, draw) {
    this.pen.save();
    this.pen.beginPath();
    this.pen.rect(box.x, box.y, box.w, box.h);
    this.pen.clip();
    draw();
    this.pen.restore();
  }

  // Vertical axis: grid lines, numbers and a label. `to` maps a value to a y.
  yAxis(box, ticks, to, label, write = number) {
    for (const tick of ticks) {
      const y = to(tick);
      if (y < box.y - 0.5 || y > box.y + box.h + 0.5) continue;
      this.line(box.x, y, box.x + box.w, y, colours.grid);
      this.text(write(tick), box.x - 6, y, { align: "right", base: "middle" });
    }
    this.text(label, 11, box.y + box.h / 2, { align: "center", base: "middle", turn: -Math.PI / 2 });
  }

  // Horizontal axis below `box`.
  xAxis(box, ticks, to, label, write = number) {
    const y = box.y + box.h;
    for (const tick of ticks) {
      const x = to(tick);
      this.line(x, box.y, x, y, colours.grid);
      this.text(write(tick), x, y + 5, { align: "center", base: "top" });
    }
    this.text(label, box.x + box.w / 2, y + 20, { align: "center", base: "top" });
  }

  frame(box) {
    this.line(box.x, box.y + box.h, box.x + box.w, box.y + box.h, colours.rule);
    this.line(box.x, box.y, box.x, box.y + box.h, colours.rule);
  }

  // Strokes y over x through `points`, lifting the pen where y is null.
  trace(points, toX, toY, colour, width = 1.5) {
    const pen = this.pen;
    let drawing = false;
    pen.beginPath();
    for (const [x, y] of points) {
      if (y === null) { drawing = false; continue; }
      if (drawing) pen.lineTo(toX(x), toY(y)); else pen.moveTo(toX(x), toY(y));
      drawing = true;
    }
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.stroke();
  }

  triangle(x, y, size, colour) {
    const pen = this.pen;
    pen.beginPath();
    pen.moveTo(x, y - size);
    pen.lineTo(x + size * 0.75, y + size * 0.5);
    pen.lineTo(x - size * 0.75, y + size * 0.5);
    pen.closePath();
    pen.fillStyle = colour;
    pen.fill();
  }

  diamond(x, y, size, colour, { filled = false, width = 1.8 } = {}) {
    const pen = this.pen;
    pen.beginPath();
    pen.moveTo(x, y - size);
    pen.lineTo(x + size, y);
    pen.lineTo(x, y + size);
    pen.lineTo(x - size, y);
    pen.closePath();
    if (filled) { pen.fillStyle = colour; pen.fill(); }
    else { pen.strokeStyle = colour; pen.lineWidth = width; pen.stroke(); }
  }

  say(words) {
    this.text(words, this.width / 2, this.height / 2, { align: "center", base: "middle", colour: colours.faint });
  }
}

function linear(from, to, a, b) {
  const slope = (b - a) / (to - from || 1);
  return value => a + (value - from) * slope;
}

// About `count` round values that cover from..to.
function ticks(from, to, count) {
  const rough = (to - from) / Math.max(1, count);
  if (!(rough > 0)) return [from];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(m => m * power).find(s => s >= rough * 0.999);
  const all = [];
  for (let k = Math.ceil(from / step - 1e-9); k * step <= to + step * 1e-9; k++) all.push(+(k * step).toPrecision(12));
  return all;
}

function number(value) {
  const size = Math.abs(value);
  if (size >= 1e6) return (value / 1e6).toFixed(size >= 1e7 ? 0 : 1) + " M";
  if (size >= 1e4) return Math.round(value / 1e3) + " k";
  if (size >= 1000) return Math.round(value).toLocaleString("en");
  return String(+value.toPrecision(3)).replace("-", "−");
}

function milliseconds(value) {
  if (value === null || value === undefined) return "–";
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value >= 0.1 ? value.toFixed(2) : value.toFixed(3);
}

function bytes(value) {
  if (value === null || value === undefined) return "–";
  return value >= 1048576 ? (value / 1048576).toFixed(1) + " MiB" : (value / 1024).toFixed(value < 10240 ? 1 : 0) + " KiB";
}

function clock(seconds, digits = 0) {
  const factor = 10 ** digits, whole = Math.round(seconds * factor) / factor;
  const minutes = Math.floor(whole / 60), rest = (whole - 60 * minutes).toFixed(digits);
  return minutes + ":" + rest.padStart(digits ? 3 + digits : 2, "0");
}
