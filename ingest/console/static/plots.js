// The plots of the overview: the last minutes, of what this page has seen since it was opened.

import { h } from "./rendering.js";
import { say, sayCount, sayTime } from "./words.js";

const HEIGHT = 150;
const TIME_WIDTH = 90; // the room of a time on its axis
const KEPT = 600; // looks: ten minutes
// Of the axis of counts: there is no half of a send.
const STEPS = Array.from({ length: 30 }, (_, index) => [1, 2, 5][index % 3] * 10 ** Math.floor(index / 3));

const PLOTS = [
  { name: "waiting", lines: [["waiting", "--accent"]] },
  { name: "sends", lines: [["accepted", "--accent"], ["delivered", "--second"]] },
  { name: "deliveries", lines: [["expanded", "--accent"]] },
  { name: "push", lines: [["frames", "--accent"], ["sockets", "--second"]] },
].map((plot) => ({ ...plot, values: plot.lines.map(() => []), chart: null }));
const times = [];

// Keep one look: `values` by the names of the lines; null is a gap.
export function keep(at, values) {
  push(times, at);
  for (const plot of PLOTS) {
    plot.lines.forEach(([name], index) => push(plot.values[index], values[name] ?? null));
    if (plot.chart?.root.isConnected) plot.chart.setData([times, ...plot.values]);
  }
}

function push(kept, value) {
  kept.push(value);
  if (kept.length > KEPT) kept.shift();
}

// Figures whose inside is uPlot's. They are made anew in another language.
export const plots = (language) => h("div", { id: "plots" }, PLOTS.map((plot) =>
  h("figure", { key: `${plot.name} ${language}` },
    h("figcaption", {}, say(`plot.${plot.name}`)),
    h("div", { whole: true, attached: (place) => makeChart(plot, place) }))));

function makeChart(plot, place) {
  const color = (name) => () => getComputedStyle(document.body).getPropertyValue(name);
  const axis = { stroke: color("--dim"), grid: { stroke: color("--line") }, ticks: { stroke: color("--line") } };
  const series = plot.lines.map(([name, stroke]) => ({
    label: say(`line.${name}`), stroke: color(stroke), width: 2, points: { show: false },
    value: (_, value) => sayCount(value),
  }));
  const atTime = { label: say("line.at"), value: (_, at) => (at == null ? "" : sayTime(at * 1000)) };
  const options = {
    width: place.clientWidth,
    height: HEIGHT,
    series: [atTime, ...series],
    axes: [
      { ...axis, space: TIME_WIDTH, values: (_, splits) => splits.map((at) => sayTime(at * 1000)) },
      { ...axis, size: 60, incrs: STEPS, values: (_, values) => values.map(sayCount) },
    ],
    scales: { y: { range: (_, _low, high) => [0, Math.max(1, high * 1.1)] } },
  };
  plot.chart = new uPlot(options, [times, ...plot.values], place);
  new ResizeObserver(() => {
    if (place.clientWidth) plot.chart.setSize({ width: place.clientWidth, height: HEIGHT });
  }).observe(place);
}
