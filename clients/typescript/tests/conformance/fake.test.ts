import { createFakeServer } from "../../src/testing";
import { claimAll } from "./claims";

const APP = { id: 7, app_id: "oa_system", name: "OA系统", callback_url: "http://127.0.0.1:1/callback", redirect_hosts: ["*.example.com"] };
const server = createFakeServer({ people: [], apps: [APP] });
let lastPerson = 31_000;

claimAll({
  url: server.url,
  fetch: server.fetch,
  WebSocket: server.WebSocket,
  app: APP,
  newPerson: async (name = "新人") => {
    const id = ++lastPerson;
    server.addPerson({ id, name });
    return { id, name, token: server.token(id) };
  },
  token: async (person, seconds) => server.token(person, seconds * 1000),
  sendAsApp: async ({ receiver_id, ...body }) => {
    const notice = { title: "审批通知", content: "您有一条待审批任务", ...body };
    return typeof receiver_id === "number" ? server.notify(APP.app_id, receiver_id, notice) : server.broadcast(APP.app_id, notice);
  },
  changeAsApp: async (id, change) => server.update(APP.app_id, id, change),
  verifyTicket: async (ticket) => server.verifyTicket(APP.app_id, ticket),
  disable: async (person) => server.disable(person),
  settle: async () => {},
  restart: async () => server.restart(),
  forgetPast: async () => server.forgetPast(),
});
