// Plots of what this page has seen since it was opened: up to the last ten minutes of looks.

import { h } from "./rendering.js";
import { say, sayCount, sayTime } from "./words.js";

const HEIGHT = 150;
const TIME_WIDTH = 90; // the room of a time on its axis
const KEPT = 600; // looks
// Of the axis of counts: there is no half of a send.
const STEPS = Array.from({ length: 30 }, (_, index) => [1, 2, 5][index % 3] * 10 ** Math.floor(index / 3));

// A plot and what it has kept. `lines` are pairs of a name and a colour of console.css.
//   keep(at, values): one look, in Unix seconds; `values` by the names of the lines, null is a gap.
//   figure(language): its element, made anew in another language; its inside is uPlot's.
export function makePlot(name, lines) {
  const times = [];
  const values = lines.map(() => []);
  let chart = null;

  function attach(place) {
    chart = new uPlot(describeChart(lines, place.clientWidth), [times, ...values], place);
    const fit = () => place.clientWidth && chart.setSize({ width: place.clientWidth, height: HEIGHT });
    new ResizeObserver(() => requestAnimationFrame(fit)).observe(place);
  }

  return {
    keep(at, seen) {
      push(times, at);
      lines.forEach(([line], index) => push(values[index], seen[line] ?? null));
      if (chart?.root.isConnected) chart.setData([times, ...values]);
    },
    figure: (language) => h("figure", { key: `${name} ${language}`, class: "plot" },
      h("figcaption", {}, say(`plot.${name}`)),
      h("div", { whole: true, attached: attach })),
  };
}

function push(kept, value) {
  kept.push(value);
  if (kept.length > KEPT) kept.shift();
}

function describeChart(lines, width) {
  const color = (name) => () => getComputedStyle(document.body).getPropertyValue(name);
  const axis = { stroke: color("--dim"), grid: { stroke: color("--line") }, ticks: { stroke: color("--line") } };
  const series = lines.map(([name, stroke]) => ({
    label: say(`line.${name}`), stroke: color(stroke), width: 2, points: { show: false },
    value: (_, value) => sayCount(value),
  }));
  const atTime = { label: say("line.at"), value: (_, at) => (at == null ? "" : sayTime(at * 1000)) };
  return {
    width,
    height: HEIGHT,
    series: [atTime, ...series],
    axes: [
      { ...axis, space: TIME_WIDTH, values: (_, splits) => splits.map((at) => sayTime(at * 1000)) },
      { ...axis, size: 60, incrs: STEPS, values: (_, splits) => splits.map(sayCount) },
    ],
    scales: { y: { range: (_, _low, high) => [0, Math.max(1, high * 1.1)] } },
  };
}
