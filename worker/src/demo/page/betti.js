// Betti curves of one window: how many classes are alive at each radius.

function drawBetti(plot, shape) {
  plot.begin();
  if (!shape || !shape.betti) return plot.say("waiting for the first window");
  const { radii, h0, h1 } = shape.betti, top = radiusLimit();
  const tall = (plot.height - 66) / 2, upper = { x: 44, y: 10, w: plot.width - 56, h: tall }, lower = { ...upper, y: upper.y + tall + 14 };
  const x = linear(0, top, upper.x, upper.x + upper.w);
  steps(plot, upper, x, radii, h0, Math.max(4, story.setup.scale.window), "β₀ components", colours.h0, top);
  steps(plot, lower, x, radii, h1, Math.max(4, ...h1), "β₁ loops", colours.h1, top);
  plot.xAxis(lower, ticks(0, top, 4), x, "radius, " + story.setup.unit);
}

function steps(plot, box, x, radii, counts, most, label, colour, top) {
  const y = linear(0, most, box.y + box.h, box.y), pen = plot.pen;
  plot.yAxis(box, ticks(0, most, 3), y, "");
  plot.text(label, box.x - 33, box.y + box.h / 2, { align: "center", base: "middle", turn: -Math.PI / 2, colour });
  plot.frame(box);
  pen.beginPath();
  pen.moveTo(x(radii[0] ?? 0), y(counts[0] ?? 0));
  radii.forEach((radius, i) => { pen.lineTo(x(radius), y(counts[i])); pen.lineTo(x(radii[i + 1] ?? Math.min(top, radius)), y(counts[i])); });
  pen.strokeStyle = colour; pen.lineWidth = 1.8; pen.stroke();
  pen.lineTo(x(radii[radii.length - 1] ?? 0), y(0)); pen.lineTo(x(radii[0] ?? 0), y(0)); pen.closePath();
  pen.globalAlpha = 0.12; pen.fillStyle = colour; pen.fill(); pen.globalAlpha = 1;
}
