// The signal and, under it, the score, over one stretch of time. Live it is swept like a bedside
// monitor: the trace stands still and a gap moves over it. The report lays out one strip a row.

const GAP = 0.025;

function drawStrip(plot, box, from, to, origin, perSecond) {
  if (to <= from) return;
  const { signal, scores, marks, alerts, setup } = story, rate = setup.point_rate;
  const x = time => box.x + (time - origin) * perSecond;
  const clip = { x: Math.max(box.x, x(from)), y: 0, w: (to - from) * perSecond, h: plot.height };
  clip.w = Math.min(clip.w, box.x + box.w - clip.x);
  plot.within(clip, () => {
    for (const seam of story.seams) if (seam >= from && seam <= to) {
      plot.line(x(seam), box.y, x(seam), box.foot, colours.faint, { dash: [2, 4] });
      plot.text("excerpt starts again", x(seam) + 5, box.foot - 4, { colour: colours.faint });
    }
    for (const alert of alerts) if (alert.mark !== null && alert.time >= from && alert.mark <= to) drawDelay(plot, box, x, alert);
    const first = Math.max(0, Math.floor(from * rate) - signal.start - 1), last = Math.min(signal.values.length, Math.ceil(to * rate) - signal.start + 2);
    const trace = [];
    for (let i = first; i < last; i++) trace.push([(signal.start + i) / rate, signal.values[i]]);
    plot.trace(trace, x, box.value, colours.ink, 1.35);
    drawScore(plot, box, x, scores.filter(([time]) => time >= from - 0.2 && time <= to + 0.2));
    for (const time of marks) if (time >= from - 1 && time <= to + 1) plot.diamond(x(time), box.y + 8, 4.5, colours.mark);
    for (const alert of alerts) if (alert.time >= from - 1 && alert.time <= to + 1) {
      plot.pen.globalAlpha = 0.45;
      plot.line(x(alert.time), box.y + 22, x(alert.time), box.foot, colours.alert);
      plot.pen.globalAlpha = 1;
      plot.triangle(x(alert.time), box.y + box.h - 7, 6.5, colours.alert);
    }
  });
}

// The time from a marked beat to its alert, as a band.
function drawDelay(plot, box, x, alert) {
  plot.pen.save();
  plot.pen.globalAlpha = 0.1;
  plot.pen.fillStyle = colours.alert;
  plot.pen.fillRect(x(alert.mark), box.y + 14, x(alert.time) - x(alert.mark), box.h - 14);
  plot.pen.restore();
}

function drawScore(plot, box, x, scores) {
  const pen = plot.pen, threshold = box.score(story.setup.threshold);
  const known = scores.filter(([, z]) => z !== null);
  if (!known.length) return;
  pen.save();
  pen.beginPath();
  pen.rect(0, 0, plot.width, threshold);
  pen.clip();
  pen.beginPath();
  pen.moveTo(x(known[0][0]), threshold);
  for (const [time, z] of known) pen.lineTo(x(time), box.score(z));
  pen.lineTo(x(known[known.length - 1][0]), threshold);
  pen.globalAlpha = 0.25;
  pen.fillStyle = colours.alert;
  pen.fill();
  pen.restore();
  plot.trace(scores, x, box.score, colours.score, 1.5);
}

// Where the signal and the score go in a strip of the height given, and their scales.
function stripBox(plot, top, height, { foot = 34, share = 0.62 } = {}) {
  const box = { x: 46, y: top, w: plot.width - 58 };
  const usable = height - foot;
  box.h = Math.round(usable * share);
  box.scoreTop = top + box.h + 10;
  box.foot = top + usable;
  const [low, high] = limits.signal;
  box.value = linear(low, high, box.y + box.h - 14, box.y + 20);
  box.score = linear(Math.min(-3, limits.score[0]), limits.score[1], box.foot, box.scoreTop);
  return box;
}

const limits = { signal: [-1, 1], score: [-3, 12] };

// The scales grow at once and shrink slowly, so that the picture does not breathe.
function settleLimits(from, ease) {
  const rate = story.setup.point_rate, recent = story.signal.values.slice(Math.max(0, Math.floor(from * rate) - story.signal.start));
  if (!recent.length) return;
  const low = Math.min(...recent), high = Math.max(...recent), room = Math.max(1e-6, high - low) * 0.04;
  limits.signal = [grow(limits.signal[0], low - room, -1, ease), grow(limits.signal[1], high + room, 1, ease)];
  let top = 1.6 * story.setup.threshold;
  for (const [time, z] of story.scores) if (time >= from && z !== null) top = Math.max(top, z * 1.08);
  limits.score = [-3, grow(limits.score[1], Math.min(top, 40), 1, ease)];
}

function grow(held, wanted, sign, ease) {
  return (wanted - held) * sign > 0 ? wanted : held + (wanted - held) * ease;
}

function stripAxes(plot, box) {
  plot.yAxis(box, ticks(limits.signal[0], limits.signal[1], 4), box.value, story.setup.unit);
  const score = { x: box.x, y: box.scoreTop, w: box.w, h: box.foot - box.scoreTop };
  plot.yAxis(score, ticks(limits.score[0], limits.score[1], 3).filter(t => t >= 0), box.score, "score z");
  plot.frame(box);
  plot.frame(score);
}

function threshold(plot, box) {
  const y = box.score(story.setup.threshold);
  plot.line(box.x, y, box.x + box.w, y, colours.soft, { dash: [5, 4] });
}

// The live picture: `now` is the time at the sweep.
function sweep(plot, now) {
  plot.begin();
  const seconds = plot.width < 560 ? 8 : plot.width < 900 ? 16 : 24;
  settleLimits(now - seconds, 0.02);
  const box = stripBox(plot, 4, plot.height - 4, { foot: 36 });
  stripAxes(plot, box);
  const perSecond = box.w / seconds, origin = Math.floor(now / seconds) * seconds, gap = seconds * GAP;
  for (let k = 0; k <= seconds; k += seconds / 8) {
    const time = origin + k <= now ? origin + k : origin + k - seconds;
    if (time < 0 || (k === seconds)) continue;
    plot.line(box.x + k * perSecond, box.y, box.x + k * perSecond, box.foot, colours.grid);
    plot.text(clock(time), box.x + k * perSecond, box.foot + 5, { align: "center", base: "top" });
  }
  plot.text("time in the signal, min:s", box.x + box.w / 2, box.foot + 20, { align: "center", base: "top" });
  drawStrip(plot, box, now - seconds + gap, origin, origin - seconds, perSecond);
  drawStrip(plot, box, Math.max(origin, 0), now, origin, perSecond);
  threshold(plot, box);
  const head = box.x + (now - origin) * perSecond;
  plot.line(head, box.y, head, box.foot, colours.faint);
  const warm = story.setup.warm_up - now;
  if (warm > 0) plot.text("learning what is normal: " + Math.ceil(warm) + " s of signal to go", box.x + 8, box.scoreTop + 12, { colour: colours.score });
}
