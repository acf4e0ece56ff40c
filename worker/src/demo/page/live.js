// The live page: events in, pictures out. Reconnects by itself; each connection begins with the
// whole recent story, so nothing has to be remembered across one.

const KEEP_SECONDS = 60, FADE_MS = 1600;
const status = { drawn: 0, frames: 0, scenes: 0 };
window.demo = status;

function live() {
  const plots = {};
  for (const id of ["signal", "cloud", "diagram", "barcode", "betti", "latency", "throughput"]) plots[id] = new Plot(id);
  listen();
  let held = false, playhead = null, last = null, turned = 0;
  const freeze = document.getElementById("freeze");
  const hold = () => { held = !held; freeze.setAttribute("aria-pressed", String(held)); freeze.textContent = held ? "Held" : "Hold"; };
  freeze.addEventListener("click", hold);
  document.addEventListener("keydown", event => { if (event.key === " " && event.target === document.body) { event.preventDefault(); hold(); } });

  // The playhead runs at the feeder's speed, a tenth of a second behind it, and drifts towards
  // where the events say it should be: smooth however unevenly they arrive.
  function advance(elapsed) {
    const pace = story.setup.speed ?? 0, behind = 0.15 * pace;
    const target = story.at - behind;
    if (playhead === null || Math.abs(target - playhead) > Math.max(4, 2 * pace)) { playhead = Math.max(0, target); return; }
    if (story.totals && story.totals.finished) { playhead = Math.min(story.at, playhead + pace * elapsed); return; }
    playhead = Math.min(story.at, playhead + pace * elapsed + (target - playhead) * Math.min(1, 2 * elapsed));
  }

  function draw(now) {
    requestAnimationFrame(draw);
    const elapsed = last === null ? 0 : Math.min(0.2, (now - last) / 1000);
    last = now;
    if (!story.setup || held) return;
    advance(elapsed);
    if (!calm.matches) turned += elapsed * 0.22;
    sweep(plots.signal, playhead);
    const alert = story.alerts.findLast(a => a.time <= playhead);
    const age = alert ? (playhead - alert.time) / (story.setup.speed || 1) * 1000 : Infinity;
    drawCloud(plots.cloud, cloudAt(Math.floor(playhead * story.setup.point_rate)), alert, Math.max(0, 1 - age / FADE_MS), 0.6 + turned);
    const shape = shapeAt(playhead);
    for (const [name, picture] of [["diagram", drawDiagram], ["barcode", drawBarcode], ["betti", drawBetti]])
      if (plots[name].isStale(shape)) picture(plots[name], shape);
    const second = story.pulse[story.pulse.length - 1];
    for (const [name, picture] of [["latency", drawLatency], ["throughput", drawThroughput]])
      if (plots[name].isStale(second)) picture(plots[name], 60);
    writeTiles(second);
    writeAlerts(50);
    writeClock();
    status.drawn++;
  }
  requestAnimationFrame(draw);
  setInterval(() => { if (story.setup) forget(KEEP_SECONDS); }, 2000);
}

function writeClock() {
  const { setup, at } = story, pass = Math.floor(at / setup.length) + 1;
  const speed = setup.speed === null ? "as fast as it goes" : number(setup.speed) + "× real time";
  set("clock", speed + " · " + clock(at % setup.length) + " of " + clock(setup.length) + (pass > 1 ? " · pass " + pass : ""));
}

function listen() {
  const chip = document.getElementById("status");
  const say = (state, words) => { chip.dataset.state = state; chip.textContent = words; };
  const events = new EventSource("events");
  events.addEventListener("scene", event => {
    reset(JSON.parse(event.data));
    writeSetup();
    status.scenes++;
    say("live", "live");
  });
  events.addEventListener("frame", event => {
    apply(JSON.parse(event.data));
    status.frames++;
    if (story.totals.finished) { say("waiting", "finished"); events.close(); }
  });
  events.addEventListener("error", () => { if (!story.totals || !story.totals.finished) say("lost", "connection lost, trying again"); });
}
