// The persistence diagram and the barcode of one window.

function drawDiagram(plot, shape) {
  const pen = plot.begin();
  if (!shape) return plot.say("waiting for the first window");
  const top = radiusLimit(), side = Math.min(plot.width - 62, plot.height - 50);
  const box = { x: 48 + (plot.width - 62 - side) / 2, y: 8, w: side, h: side };
  const x = linear(0, top, box.x, box.x + side), y = linear(0, top, box.y + side, box.y);
  const marks = ticks(0, top, 4);
  plot.yAxis(box, marks, y, "");
  plot.text("death, " + story.setup.unit, box.x - 37, box.y + side / 2, { align: "center", base: "middle", turn: -Math.PI / 2 });
  plot.xAxis(box, marks, x, "birth, " + story.setup.unit);
  plot.frame(box);
  pen.beginPath();
  pen.moveTo(x(0), y(0)); pen.lineTo(x(top), y(top)); pen.lineTo(x(top), y(0));
  pen.fillStyle = colours.grid; pen.globalAlpha = 0.55; pen.fill(); pen.globalAlpha = 1;
  plot.line(x(0), y(0), x(top), y(top), colours.faint);
  for (const [birth, death] of shape.h0) {
    pen.beginPath();
    pen.arc(x(birth), y(death ?? top), 3.4, 0, 7);
    pen.globalAlpha = 0.5; pen.fillStyle = colours.h0; pen.fill(); pen.globalAlpha = 1;
  }
  const longest = mostPersistent(shape.h1);
  for (const pair of shape.h1) {
    if (pair === longest) plot.line(x(pair[0]), y(pair[0]), x(pair[0]), y(pair[1] ?? top), colours.h1, { dash: [2, 3] });
    plot.diamond(x(pair[0]), y(pair[1] ?? top), pair === longest ? 6 : 4, colours.h1, { filled: true });
  }
}

function mostPersistent(pairs) {
  return pairs.reduce((best, pair) => !best || span(pair) > span(best) ? pair : best, null);
}

function span([birth, death]) { return (death ?? Infinity) - birth; }

// Every picture of a window ends at the radius at which its filtration ends.
function radiusLimit() { return story.setup.scale.max_radius; }

function drawBarcode(plot, shape) {
  plot.begin();
  if (!shape) return plot.say("waiting for the first window");
  const top = radiusLimit(), box = { x: 44, y: 8, w: plot.width - 56, h: plot.height - 50 };
  const x = linear(0, top, box.x, box.x + box.w);
  plot.xAxis(box, ticks(0, top, 4), x, "radius, " + story.setup.unit);
  const h1 = [...shape.h1].sort((a, b) => a[0] - b[0]), h0 = [...shape.h0].sort((a, b) => (a[1] ?? Infinity) - (b[1] ?? Infinity));
  // H1 keeps a third of the height or what it needs, so that its few bars are easy to see.
  const tall = Math.min(box.h * 0.4, Math.max(1, h1.length) * 13), split = box.y + box.h - tall - 8;
  bars(plot, h0, { ...box, h: split - box.y }, x, top, colours.h0);
  bars(plot, h1, { ...box, y: split + 8, h: tall }, x, top, colours.h1);
  plot.line(box.x, split + 4, box.x + box.w, split + 4, colours.rule);
  plot.text("H0", box.x - 8, (box.y + split) / 2, { align: "right", base: "middle", colour: colours.h0 });
  plot.text("H1", box.x - 8, split + 8 + tall / 2, { align: "right", base: "middle", colour: colours.h1 });
  plot.frame(box);
}

function bars(plot, pairs, box, x, top, colour) {
  const step = box.h / Math.max(pairs.length, 1), thick = Math.max(1, Math.min(6, step * 0.62));
  pairs.forEach(([birth, death], i) => {
    const y = box.y + (i + 0.5) * step;
    plot.pen.fillStyle = colour;
    plot.pen.fillRect(x(birth), y - thick / 2, Math.max(1, x(death ?? top) - x(birth)), thick);
  });
}
