// Figures as SVG: lines, points, bars, areas and heat maps, each with its numbers as a title on every mark.
const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#7f7f7f"];
const BOX = { left: 48, right: 12, top: 8, bottom: 44, width: 480, height: 280 };

const colour = (at) => COLOURS[at % COLOURS.length];
const middle = (y) => (typeof y === "object" ? y.value : y);
const short = (value) => (Number.isInteger(value) ? String(value) : Number(value.toPrecision(3)).toString());

function told(name, x, y, scale) {
  const number = (value) => short(value * scale);
  const range = typeof y === "object" ? ` [${number(y.low)}, ${number(y.high)}]` : "";
  return draw("title", {}, `${name}, ${x}: ${number(middle(y))}${range}`);
}

function figure(plot) {
  const svg = draw("svg", { viewBox: `0 0 ${BOX.width} ${BOX.height}`, role: "img", "aria-label": plot.title });
  ({ line: lineChart, scatter: lineChart, stack: stackChart, bar: barChart, heat: heatChart })[plot.kind](svg, plot);
  const names = plot.lines.length > 1 && plot.kind !== "heat";
  return make("figure", {}, make("figcaption", {}, plot.title), svg, names && make("ul", { class: "legend" },
    plot.lines.map((line, at) => make("li", {}, make("span", { class: "swatch", style: { background: colour(at) } }), line.name))));
}

function scaleOf(values, from, to, log) {
  let [low, high] = [Math.min(...values), Math.max(...values)];
  if (low === high) [low, high] = [low - 0.5, high + 0.5];
  const place = log ? (v) => Math.log(v) : (v) => v;
  const at = (value) => from + ((place(value) - place(low)) / (place(high) - place(low))) * (to - from);
  return { at, low, high };
}

function ticks(low, high, count = 5) {
  const raw = (high - low) / count, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((part) => part * power).find((part) => part >= raw);
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step / 1e6; value += step) found.push(Number(value.toPrecision(12)));
  return found;
}

function axes(svg, plot, y) {
  const [left, right] = [BOX.left, BOX.width - BOX.right];
  for (const value of ticks(y.low, y.high)) {
    svg.append(draw("line", { class: "guide", x1: left, x2: right, y1: y.at(value), y2: y.at(value) }),
      draw("text", { x: left - 6, y: y.at(value) + 4, "text-anchor": "end" }, short(value)));
  }
  const bottom = BOX.height - BOX.bottom;
  svg.append(draw("path", { class: "axis", d: `M${left},${BOX.top}V${bottom}H${right}` }),
    draw("text", { x: (left + right) / 2, y: BOX.height - 6, "text-anchor": "middle" }, plot.x),
    draw("text", { x: 12, y: (BOX.top + bottom) / 2, "text-anchor": "middle", transform: `rotate(-90 12 ${(BOX.top + bottom) / 2})` }, plot.y));
}

function xTicks(svg, plot, x, every) {
  const bottom = BOX.height - BOX.bottom;
  const few = new Set(every).size <= 8 && every.every(Number.isInteger);
  const values = plot.log || few ? [...new Set(every)] : ticks(x.low, x.high);
  let last = -Infinity;
  for (const value of values.sort((a, b) => a - b)) {
    if (x.at(value) - last < 28) continue;
    last = x.at(value);
    svg.append(draw("text", { x: last, y: bottom + 16, "text-anchor": "middle" }, short(value)));
  }
}

function lineChart(svg, plot) {
  const scale = plot.unit === "%" ? 100 : 1;
  const points = plot.lines.flatMap((line) => line.points);
  const ends = points.flatMap(([, y]) => (typeof y === "object" ? [y.low, y.high] : [y])).map((v) => v * scale);
  const xs = points.map(([x]) => x);
  const x = scaleOf(xs, BOX.left + 8, BOX.width - BOX.right - 8, plot.log);
  const y = scaleOf(plot.unit === "%" ? [...ends, 0] : ends, BOX.height - BOX.bottom, BOX.top, false);
  axes(svg, plot, y);
  xTicks(svg, plot, x, xs);
  plot.lines.forEach((line, at) => {
    const places = line.points.map(([px, py]) => [x.at(px), y.at(middle(py) * scale)]);
    if (plot.kind === "line") svg.append(draw("polyline", { points: places.join(" "), fill: "none", stroke: colour(at), "stroke-width": 1.6 }));
    const marks = line.points.length <= 60;
    line.points.forEach(([px, py], i) => {
      const [cx, cy] = places[i];
      if (typeof py === "object") svg.append(draw("line", { x1: cx, x2: cx, y1: y.at(py.low * scale), y2: y.at(py.high * scale), stroke: colour(at), opacity: 0.6 }));
      if (marks) svg.append(draw("circle", { cx, cy, r: 3.2, fill: colour(at) }, told(line.name, short(px), py, scale)));
    });
  });
}

function stackChart(svg, plot) {
  const scale = plot.unit === "%" ? 100 : 1;
  const xs = plot.lines[0].points.map(([x]) => x), below = xs.map(() => 0);
  const sums = xs.map((_, i) => plot.lines.reduce((sum, line) => sum + middle(line.points[i][1]) * scale, 0));
  const x = scaleOf(xs, BOX.left, BOX.width - BOX.right, false);
  const y = scaleOf([0, ...sums], BOX.height - BOX.bottom, BOX.top, false);
  axes(svg, plot, y);
  xTicks(svg, plot, x, xs);
  plot.lines.forEach((line, at) => {
    const floor = xs.map((px, i) => [x.at(px), y.at(below[i])]).reverse();
    line.points.forEach(([, py], i) => { below[i] += middle(py) * scale; });
    const roof = xs.map((px, i) => [x.at(px), y.at(below[i])]);
    svg.append(draw("polygon", { points: [...roof, ...floor].join(" "), fill: colour(at), opacity: 0.85 }, draw("title", {}, line.name)));
  });
}

const labelsOf = (plot) => [...new Set(plot.lines.flatMap((line) => line.points.map(([x]) => String(x))))];

function barChart(svg, plot) {
  const scale = plot.unit === "%" ? 100 : 1, labels = labelsOf(plot);
  const tops = plot.lines.flatMap((line) => line.points.map(([, y]) => (typeof y === "object" ? y.high : y) * scale));
  const y = scaleOf([0, ...tops], BOX.height - BOX.bottom, BOX.top, false);
  axes(svg, { ...plot, x: "" }, y);
  const room = (BOX.width - BOX.left - BOX.right) / labels.length, width = (0.8 * room) / plot.lines.length;
  labels.forEach((label, at) => {
    const cut = label.length * 6 > room ? `${label.slice(0, Math.max(3, Math.floor(room / 6) - 1))}…` : label;
    svg.append(draw("text", { x: BOX.left + room * (at + 0.5), y: BOX.height - BOX.bottom + 16, "text-anchor": "middle" }, cut.replace("_", " "), draw("title", {}, label)));
  });
  plot.lines.forEach((line, at) => line.points.forEach(([x, value]) => {
    const left = BOX.left + room * labels.indexOf(String(x)) + 0.1 * room + at * width, top = y.at(middle(value) * scale);
    svg.append(draw("rect", { x: left, y: top, width: Math.max(1, width - 1), height: Math.max(0, y.at(0) - top), fill: colour(at) }, told(line.name, x, value, scale)));
    if (typeof value === "object") svg.append(draw("line", { x1: left + width / 2, x2: left + width / 2, y1: y.at(value.low * scale), y2: y.at(value.high * scale), stroke: "currentColor" }));
  }));
}

function heatChart(svg, plot) {
  const labels = labelsOf(plot), values = plot.lines.flatMap((line) => line.points.filter(([, y]) => y !== null).map(([, y]) => middle(y)));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const wide = (BOX.width - 90 - BOX.right) / labels.length, tall = (BOX.height - BOX.bottom - BOX.top) / plot.lines.length;
  labels.forEach((label, at) => svg.append(draw("text", { x: 90 + wide * (at + 0.5), y: BOX.height - BOX.bottom + 16, "text-anchor": "middle" }, label)));
  plot.lines.forEach((line, row) => {
    svg.append(draw("text", { x: 84, y: BOX.top + tall * (row + 0.5) + 4, "text-anchor": "end" }, line.name));
    line.points.forEach(([x, y]) => {
      const left = 90 + wide * labels.indexOf(String(x)), top = BOX.top + tall * row;
      if (y === null) return svg.append(draw("text", { x: left + wide / 2, y: top + tall / 2 + 4, "text-anchor": "middle" }, "*"));
      const share = high > low ? (middle(y) - low) / (high - low) : 0.5;
      svg.append(draw("rect", { x: left, y: top, width: wide - 2, height: tall - 2, fill: `hsl(205 70% ${88 - 50 * share}%)` }, told(line.name, x, y, 1)),
        draw("text", { x: left + wide / 2, y: top + tall / 2 + 4, "text-anchor": "middle", style: { fill: share > 0.55 ? "#fff" : "#111" } }, middle(y).toFixed(2)));
    });
  });
}
