/** The calls that the fake server answers: a person's, below `/api/v1`. */
import { makeConversationRoutes } from "./conversations";
import { makeMessageRoutes } from "./messages";
import { makeMediaRoutes, makePeopleRoutes } from "./people";
import type { Route, RouteParts } from "./route";

export function makeRoutes(parts: RouteParts): Route[] {
  return [...makeConversationRoutes(parts), ...makeMessageRoutes(parts), ...makePeopleRoutes(parts), ...makeMediaRoutes(parts)];
}
