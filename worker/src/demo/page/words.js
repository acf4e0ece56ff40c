// Everything on the page that is not a picture: tiles, alerts, notes, theme.

function set(id, words) {
  const node = document.getElementById(id);
  if (node.textContent !== words) node.textContent = words;
}

function writeSetup() {
  const { setup } = story, { scale } = setup;
  const point = 1000 / setup.point_rate;
  set("subtitle", setup.title);
  set("cloud-note", "window of " + scale.window + " points, " + (scale.window * point / 1000).toFixed(2) + " s");
  for (const node of document.querySelectorAll("[data-needs=marks]")) node.hidden = !setup.reference;
  set("threshold", "threshold, z = " + number(setup.threshold));
  set("about", setup.about);
  set("caveat", setup.caveat);
}

function writeTiles(pulse, whole) {
  const totals = story.totals;
  if (!totals) return;
  const engine = whole ? totals.engine : pulse && pulse.engine, end = whole ? totals.end_to_end : pulse && pulse.end_to_end;
  set("tile-points", pulse ? number(pulse.points_per_second) : "–");
  set("tile-points-all", totals.points.toLocaleString("en") + " in all");
  set("tile-emissions", pulse ? number(pulse.emissions_per_second) : "–");
  set("tile-emissions-all", totals.emissions.toLocaleString("en") + " in all");
  set("tile-engine", engine ? milliseconds(engine.p50) : "–");
  set("tile-engine-tail", engine ? "p95 " + milliseconds(engine.p95) + " · p99 " + milliseconds(engine.p99) : "");
  set("tile-latency", end ? milliseconds(end.p50) : "–");
  set("tile-latency-tail", end ? "p95 " + milliseconds(end.p95) + " · p99 " + milliseconds(end.p99) : "");
  set("tile-alerts", String(totals.alerts));
  set("tile-alerts-marks", story.setup.reference ? totals.matched + " beside a marked beat" : "");
  set("tile-memory", bytes(totals.memory_bytes));
  set("tile-memory-window", story.setup.scale.window + " points");
}

let listed = null;
function writeAlerts(limit, pick) {
  const key = story.alerts.length + "/" + (story.alerts.length ? story.alerts[story.alerts.length - 1].time : 0);
  if (listed === key) return;
  listed = key;
  const rows = story.alerts.slice(-limit).reverse().map(alert => row(alert, pick));
  document.getElementById("alerts").replaceChildren(...(rows.length ? rows : [empty()]));
}

function row(alert, pick) {
  const line = document.createElement("tr");
  const beside = alert.mark === null ? (story.setup.reference ? "none near" : "–") : clock(alert.mark, 2);
  const loop = alert.birth === null ? "–" : number(alert.birth) + " → " + (alert.death === null ? "open" : number(alert.death)) + " " + story.setup.unit;
  for (const words of [clock(alert.time, 2), alert.score.toFixed(1), beside, alert.delay_ms === null ? "–" : Math.round(alert.delay_ms) + " ms", loop]) {
    const cell = document.createElement("td");
    cell.textContent = words;
    if (words === "–" || words === "none near") cell.className = "none";
    line.append(cell);
  }
  if (pick) {
    line.dataset.pick = "";
    line.tabIndex = 0;
    line.addEventListener("click", () => pick(alert, line));
    line.addEventListener("keydown", event => { if (event.key === "Enter") pick(alert, line); });
  }
  return line;
}

function empty() {
  const line = document.createElement("tr"), cell = document.createElement("td");
  cell.colSpan = 5; cell.className = "none"; cell.textContent = "none so far";
  line.append(cell);
  return line;
}

const dark = matchMedia("(prefers-color-scheme: dark)");
let chosen = null;
function applyTheme() {
  document.documentElement.dataset.theme = chosen ?? (dark.matches ? "dark" : "light");
  readColours();
}
dark.addEventListener("change", applyTheme);
document.getElementById("theme").addEventListener("click", () => {
  chosen = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  applyTheme();
});
applyTheme();
