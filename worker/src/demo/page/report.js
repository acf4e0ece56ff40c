// The report: the same pictures, still. The whole signal in rows, and any alert's shape by a click.

const ROW_SECONDS = 30, ROW_HEIGHT = 190;

function report(scene) {
  reset(scene);
  writeSetup();
  document.title = "StreamingTDA report";
  document.getElementById("freeze").hidden = true;
  const chip = document.getElementById("status");
  chip.dataset.state = "waiting";
  chip.textContent = "report of " + new Date(scene.made).toLocaleString();
  const { setup, at, totals } = story;
  set("clock", clock(at) + " of signal in " + number(totals.wall) + " s");
  const strip = document.getElementById("signal");
  const first = story.signal.start / setup.point_rate, rows = Math.max(1, Math.ceil((at - first) / ROW_SECONDS - 0.01));
  strip.style.height = rows * ROW_HEIGHT + 20 + "px";
  const plots = {};
  for (const id of ["signal", "cloud", "diagram", "barcode", "betti", "latency", "throughput"]) plots[id] = new Plot(id);
  let picked = story.alerts.reduce((best, alert) => !best || alert.score > best.score ? alert : best, null);
  const draw = () => {
    drawRows(plots.signal, first, rows);
    const shape = picked && picked.shape ? picked.shape : story.now;
    drawCloud(plots.cloud, cloudAt(Math.floor((picked ? picked.time : at) * setup.point_rate) - (picked ? 0 : 1)), picked, 1, 0.6);
    drawDiagram(plots.diagram, shape);
    drawBarcode(plots.barcode, shape);
    drawBetti(plots.betti, shape);
    drawLatency(plots.latency, Infinity);
    drawThroughput(plots.throughput, Infinity);
    window.demo.drawn++;
  };
  const pick = (alert, line) => {
    picked = alert;
    for (const other of document.querySelectorAll("#alerts tr")) other.removeAttribute("aria-selected");
    line.setAttribute("aria-selected", "true");
    note();
    draw();
  };
  const note = () => { if (picked) set("cloud-note", "the window of the alert at " + clock(picked.time, 2) + ", z " + picked.score.toFixed(1)); };
  set("alerts-note", "newest first; choose one to see its window above. At first the highest score is shown.");
  writeTiles({ points_per_second: totals.points_per_second, emissions_per_second: totals.emissions_per_second }, true);
  writeAlerts(Infinity, pick);
  note();
  for (const id of Object.keys(plots)) new ResizeObserver(() => requestAnimationFrame(draw)).observe(plots[id].canvas);
  document.getElementById("theme").addEventListener("click", draw);
  dark.addEventListener("change", draw);
}

function drawRows(plot, first, rows) {
  plot.begin();
  settleLimits(-Infinity, 1);
  for (let row = 0; row < rows; row++) {
    const origin = first + row * ROW_SECONDS, box = stripBox(plot, 4 + row * ROW_HEIGHT, ROW_HEIGHT, { foot: 28, share: 0.6 });
    stripAxes(plot, box);
    const perSecond = box.w / ROW_SECONDS;
    for (let k = 0; k <= ROW_SECONDS; k += plot.width < 560 ? 10 : 5) {
      plot.line(box.x + k * perSecond, box.y, box.x + k * perSecond, box.foot, colours.grid);
      plot.text(clock(origin + k), box.x + k * perSecond, box.foot + 4, { align: k === ROW_SECONDS ? "right" : "center", base: "top" });
    }
    drawStrip(plot, box, origin, Math.min(origin + ROW_SECONDS, story.at), origin, perSecond);
    const y = box.score(story.setup.threshold);
    plot.line(box.x, y, box.x + box.w, y, colours.soft, { dash: [5, 4] });
  }
  plot.text("time in the signal, min:s", plot.width / 2, plot.height - 2, { align: "center" });
}
