// What is known so far. The worker's events add to it; the panels read it.

const story = {
  setup: null, at: 0, wall: 0, received: 0,
  signal: { start: 0, values: [] }, points: { start: 0, values: [] },
  marks: [], seams: [], alerts: [], scores: [], pulse: [], shapes: [], now: null, totals: null,
};

function reset(scene) {
  Object.assign(story, { setup: scene.setup, marks: [], seams: [], alerts: [], scores: [], pulse: [], shapes: [], now: null, totals: null, at: 0,
    signal: { start: 0, values: [] }, points: { start: 0, values: [] } });
  apply(scene.history);
}

function apply(frame) {
  extend(story.signal, frame.signal);
  extend(story.points, frame.points);
  for (const list of ["marks", "seams", "alerts", "scores", "pulse"]) story[list].push(...frame[list]);
  if (frame.now && (!story.now || frame.now.time !== story.now.time)) {
    story.now = frame.now;
    story.shapes.push(frame.now);
    if (story.shapes.length > 100) story.shapes.shift();
  }
  story.totals = frame.totals;
  story.at = frame.at;
  story.wall = frame.wall;
  story.received = performance.now();
}

function extend(track, piece) {
  if (!piece.values.length) return;
  if (piece.start !== track.start + track.values.length) { track.start = piece.start; track.values = []; }
  for (const value of piece.values) track.values.push(value);
}

// Forgets what has left every picture, so that a page open for days stays small.
function forget(seconds) {
  const rate = story.setup.point_rate, oldest = story.at - seconds;
  for (const track of [story.signal, story.points]) {
    const excess = track.values.length - Math.ceil(seconds * rate);
    if (excess > rate * 30) { track.values.splice(0, excess); track.start += excess; }
  }
  story.marks = story.marks.filter(time => time > oldest);
  story.seams = story.seams.filter(time => time > oldest);
  if (story.scores.length > 4000 && story.scores[0][0] < oldest) story.scores = story.scores.filter(([time]) => time > oldest);
  if (story.alerts.length > 200) story.alerts.splice(0, story.alerts.length - 100);
  if (story.pulse.length > 240) story.pulse.splice(0, story.pulse.length - 180);
}

// The window that was newest at `time`, so that all pictures show the same moment.
function shapeAt(time) {
  return story.shapes.findLast(shape => shape.time <= time) ?? story.shapes[0] ?? null;
}

// The embedded points of the window whose newest sample is number `end`: oldest first.
function cloudAt(end) {
  const { window: size, delay, copies } = story.setup.scale, { start, values } = story.points, cloud = [];
  for (let i = end - size + 1; i <= end; i++) {
    const point = [];
    for (let copy = 0; copy < copies; copy++) point.push(values[i - copy * delay - start]);
    if (point.every(value => value !== undefined)) cloud.push(point);
  }
  return cloud;
}
