// The way of one message, at an address of its own.

import { ask } from "../server.js";
import { viewTrail } from "../trail.js";

export default {
  title: "message.title",
  every: 2000,
  load: (route) => ask(`messages/${encodeURIComponent(route.id)}`),
  view: viewTrail,
};
