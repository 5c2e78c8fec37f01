// How things stand, asked once a second whatever page is shown. Rates are the differences between two looks, so that
// nothing is kept on the server.

import { makePlot } from "./plots.js";
import { ask } from "./server.js";

export const PLOTS = [
  makePlot("waiting", [["waiting", "--accent"]]),
  makePlot("sends", [["accepted", "--accent"], ["delivered", "--second"]]),
  makePlot("deliveries", [["expanded", "--accent"]]),
  makePlot("push", [["frames", "--accent"], ["sockets", "--second"]]),
];

// A gateway tells its frames once a second, so from one look to the next they may not have moved.
const FRAMES_LOOKS = 4;

let before = null; // the look before this one
let frames = []; // of the last looks: when, and how many there had been

// The newest look: what the server said, the latest broadcasts, and rates a second (null after a pause).
export let latest = null;

export async function look() {
  const [seen, broadcasts] = await Promise.all([ask("look"), ask("broadcasts")]);
  const { backlog, gateways } = seen;
  frames = gateways ? [...frames.slice(1 - FRAMES_LOOKS), { at: seen.at, count: gateways.frames }] : [];
  const rates = before && measure({ seen, broadcasts }, before);
  const values = { waiting: backlog.waiting, sockets: gateways?.sockets, ...rates };
  for (const plot of PLOTS) plot.keep(seen.at, values);
  before = { seen, broadcasts };
  latest = { ...seen, broadcasts, rates };
}

// What comes after a pause says nothing of a rate.
export function forgetLook() {
  before = null;
  frames = [];
}

function measure(now, then) {
  const seconds = Math.max(0.001, now.seen.at - then.seen.at);
  const delivered = ({ seen }) => seen.ids_made - seen.backlog.waiting;
  return {
    accepted: rise(now.seen.ids_made, then.seen.ids_made) / seconds,
    delivered: rise(delivered(now), delivered(then)) / seconds,
    expanded: countDeliveries(now.broadcasts, then.broadcasts) / seconds,
    frames: measureFrames(),
  };
}

function measureFrames() {
  if (frames.length < 2) return null;
  const [first, last] = [frames[0], frames.at(-1)];
  return rise(last.count, first.count) / Math.max(0.001, last.at - first.at);
}

// A counter of a process that was started again goes back to 0.
const rise = (now, then) => Math.max(0, now - then);

// Of broadcasts in both looks, and of those that began in between.
function countDeliveries(now, then) {
  const known = new Map(then.map((one) => [one.id, one.expanded]));
  return now.reduce((sum, one) => sum + rise(one.expanded, known.get(one.id) ?? 0), 0);
}
