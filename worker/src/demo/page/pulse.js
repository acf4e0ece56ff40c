// How fast: latency percentiles and throughput over the last minute of wall time.

function pulseBox(plot) { return { x: 58, y: 8, w: plot.width - 70, h: plot.height - 50 }; }

function pulseRange(span) {
  const last = story.pulse[story.pulse.length - 1].wall;
  return [Math.max(story.pulse[0].wall, last - span), Math.max(last, story.pulse[0].wall + 10)];
}

function drawLatency(plot, span) {
  plot.begin();
  if (!story.pulse.length) return plot.say("measured each second");
  const box = pulseBox(plot), [from, to] = pulseRange(span), x = linear(from, to, box.x, box.x + box.w);
  const shown = story.pulse.filter(p => p.wall >= from - 1);
  const all = shown.flatMap(p => [p.engine, p.end_to_end]).filter(Boolean).flatMap(q => [q.p50, q.p95]).filter(v => v > 0);
  const low = Math.floor(Math.log10(Math.min(0.1, ...all)) + 1e-9), high = Math.max(1, Math.ceil(Math.log10(Math.max(...all, 1)) - 1e-9));
  const y = value => linear(low, high, box.y + box.h, box.y)(Math.log10(Math.max(value, 10 ** low)));
  const decades = []; for (let k = low; k <= high; k++) decades.push(10 ** k);
  plot.yAxis(box, decades, y, "ms, log scale");
  plot.xAxis(box, ticks(from, to, 6), x, "seconds since the start");
  plot.frame(box);
  plot.within({ ...box, x: box.x - 1, w: box.w + 2 }, () => {
    quantiles(plot, shown, "engine", x, y, colours.engine);
    quantiles(plot, shown, "end_to_end", x, y, colours.latency);
  });
}

function quantiles(plot, shown, kind, x, y, colour) {
  const known = shown.filter(p => p[kind]), pen = plot.pen;
  if (!known.length) return;
  pen.beginPath();
  known.forEach((p, i) => i ? pen.lineTo(x(p.wall), y(p[kind].p95)) : pen.moveTo(x(p.wall), y(p[kind].p95)));
  [...known].reverse().forEach(p => pen.lineTo(x(p.wall), y(p[kind].p50)));
  pen.closePath();
  pen.globalAlpha = 0.16; pen.fillStyle = colour; pen.fill(); pen.globalAlpha = 1;
  plot.trace(known.map(p => [p.wall, p[kind].p50]), x, y, colour, 1.8);
}

function drawThroughput(plot, span) {
  plot.begin();
  if (!story.pulse.length) return plot.say("measured each second");
  const [from, to] = pulseRange(span), full = pulseBox(plot), tall = (full.h - 10) / 2;
  const shown = story.pulse.filter(p => p.wall >= from - 1), x = linear(from, to, full.x, full.x + full.w);
  const upper = { ...full, h: tall }, lower = { ...full, y: full.y + tall + 10, h: tall };
  plot.xAxis(lower, ticks(from, to, 6), x, "seconds since the start");
  rate(plot, upper, shown, "points_per_second", x, colours.ink);
  rate(plot, lower, shown, "emissions_per_second", x, colours.h1);
}

function rate(plot, box, shown, kind, x, colour) {
  const most = Math.max(1, ...shown.map(p => p[kind])) * 1.15, y = linear(0, most, box.y + box.h, box.y);
  plot.yAxis(box, ticks(0, most, 2), y, "");
  plot.frame(box);
  plot.within({ ...box, x: box.x - 1, w: box.w + 2 }, () => plot.trace(shown.map(p => [p.wall, p[kind]]), x, y, colour, 1.8));
}
