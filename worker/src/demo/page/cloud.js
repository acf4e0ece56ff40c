// The delay embedding: the window's points in three dimensions, turning slowly, and the loop that
// the last alert was about.

const calm = matchMedia("(prefers-reduced-motion: reduce)");
let reach = 0.5;

// Orthographic: turned by `angle` about the vertical axis, then tipped towards the reader.
function project([a, b, c = 0], angle) {
  const u = a * Math.cos(angle) + c * Math.sin(angle), w = c * Math.cos(angle) - a * Math.sin(angle);
  const tip = 0.42;
  return [u, b * Math.cos(tip) + w * Math.sin(tip), w * Math.cos(tip) - b * Math.sin(tip)];
}

function norm(point) { return Math.hypot(...point); }

function drawCloud(plot, cloud, alert, strength, angle) {
  const pen = plot.begin();
  if (!cloud.length) return plot.say("waiting for a full window");
  const far = Math.max(...cloud.map(norm), ...(alert && strength > 0 ? alert.loop.map(norm) : []));
  reach = far > reach ? far : reach + (far - reach) * 0.02;
  const scale = Math.min(plot.width, plot.height) * 0.47 / reach;
  const place = point => { const [u, v] = project(point, angle); return [plot.width / 2 + u * scale, plot.height / 2 - v * scale]; };
  drawAxes(plot, place);
  const placed = cloud.map(place);
  for (let i = 1; i < placed.length; i++) {
    const age = i / placed.length;
    pen.globalAlpha = 0.12 + 0.6 * age * age;
    plot.line(...placed[i - 1], ...placed[i], colours.h0, { width: 1.4 });
  }
  placed.forEach(([x, y], i) => {
    const age = (i + 1) / placed.length;
    pen.globalAlpha = 0.25 + 0.75 * age;
    pen.beginPath();
    pen.arc(x, y, i === placed.length - 1 ? 4.5 : 1.8 + age, 0, 7);
    pen.fillStyle = i === placed.length - 1 ? colours.ink : colours.h0;
    pen.fill();
  });
  pen.globalAlpha = 1;
  if (alert && strength > 0) drawLoop(plot, alert.loop.map(place), strength);
}

function drawLoop(plot, placed, strength) {
  const pen = plot.pen;
  if (placed.length < 3) return;
  pen.save();
  pen.beginPath();
  placed.forEach(([x, y], i) => i ? pen.lineTo(x, y) : pen.moveTo(x, y));
  pen.closePath();
  pen.globalAlpha = 0.1 * strength;
  pen.fillStyle = colours.alert;
  pen.fill();
  pen.globalAlpha = strength;
  pen.strokeStyle = colours.alert;
  pen.lineWidth = 2.4;
  pen.stroke();
  for (const [x, y] of placed) { pen.beginPath(); pen.arc(x, y, 3, 0, 7); pen.fillStyle = colours.alert; pen.fill(); }
  pen.restore();
}

function drawAxes(plot, place) {
  const { delay, copies } = story.setup.scale, step = 1000 * delay / story.setup.point_rate;
  const length = ticks(0, reach, 2)[1] || reach;
  for (let axis = 0; axis < Math.min(copies, 3); axis++) {
    const end = [0, 0, 0]; end[axis] = length;
    const back = [0, 0, 0]; back[axis] = -length;
    const [x0, y0] = place(back), [x1, y1] = place(end);
    plot.line(x0, y0, x1, y1, colours.rule);
    const name = axis ? "x(t − " + Math.round(axis * step) + " ms)" : "x(t)";
    const half = plot.pen.measureText(name).width / 2 + 2;
    plot.text(name, Math.min(Math.max(x1, half), plot.width - half), y1 - 6, { align: "center", colour: colours.faint });
  }
  plot.text("half axis = " + number(length) + " " + story.setup.unit, 2, plot.height - 4, { colour: colours.faint });
}
