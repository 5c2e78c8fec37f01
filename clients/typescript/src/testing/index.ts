/**
 * `@carillon/client/testing`: a Carillon in memory, for the tests of those who use the client.
 *
 * It answers a person's calls and sockets as the server does: one set of claims is tested against both
 * (`tests/conformance`). It knows no limits of how often, and no calls of apps: `notify` and `broadcast` are in their place.
 */
export { createFakeServer, FakeServer } from "./server";
export type { Change, Failure, FakeServerOptions, Notice, SeenRequest } from "./server";
export type { FakeApp, FakePerson } from "./world";
