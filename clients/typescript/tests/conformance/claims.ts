/** Every claim about a server, for the fake and for a running one: whoever tests against the fake relies on them. */
import { afterEach, describe } from "vitest";
import { closeAll, type Host } from "./host";
import { claimCards } from "./cards";
import { claimPeople } from "./people";
import { claimReading } from "./reading";
import { claimRecalling } from "./recalling";
import { claimSending } from "./sending";
import { claimSockets } from "./sockets";

export function claimAll(host: Host): void {
  afterEach(closeAll);
  describe("sending", () => claimSending(host));
  describe("reading", () => claimReading(host));
  describe("taking back, and buttons", () => claimRecalling(host));
  describe("cards that change", () => claimCards(host));
  describe("who is there", () => claimPeople(host));
  describe("the socket", () => claimSockets(host));
}
