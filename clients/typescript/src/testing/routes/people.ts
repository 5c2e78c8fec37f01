/** Finding people and apps, and announcing uploads. */
import { Fields } from "../fields";
import { OBJECTS, findAccount, presentApp, presentPerson } from "../presenting";
import type { Known } from "../world";
import type { Answer, Call, Route, RouteParts } from "./route";

export function makePeopleRoutes({ world }: RouteParts): Route[] {
  const find = (text: string): Known[] => {
    const has = (value: string): boolean => value.toLowerCase().includes(text.toLowerCase());
    const found = [...world.people.values()].filter((one) => has(one.name) || has(one.mobile) || has(one.english_name));
    return found.sort((a, b) => a.id - b.id);
  };

  function search({ query }: Call): Answer {
    const { limit } = readWindow(query, 20);
    const active = find(query["q"] ?? "").filter(({ isActive }) => isActive);
    return { body: active.slice(0, limit).map(presentPerson) };
  }

  function list({ query }: Call): Answer {
    const { skip, limit } = readWindow(query, 20);
    const found = find(query["keyword"] ?? "");
    const items = found.slice(skip, skip + limit).map((one) => ({ ...presentPerson(one), role: one.role, is_deleted: 0 }));
    return { body: { total: found.length, items } };
  }

  function listApps({ me, query }: Call, seesAll: boolean): Answer {
    const { skip, limit } = readWindow(query, 100);
    const text = (query["search"] ?? "").toLowerCase();
    const found = world.apps.filter((one) => one.name.toLowerCase().includes(text) || one.app_id.toLowerCase().includes(text));
    const theirs = found.filter((one) => seesAll || findAccount(one, me) !== null);
    return { body: { total: theirs.length, items: theirs.slice(skip, skip + limit).map((one) => presentApp(one, findAccount(one, me))) } };
  }

  return [
    { method: "GET", path: /^\/users\/search$/, answer: search },
    { method: "GET", path: /^\/users\/?$/, answer: list },
    { method: "GET", path: /^\/simple\/me\/launchpad-apps$/, answer: (call) => listApps({ ...call, query: { limit: "100" } }, false) },
    { method: "GET", path: /^\/apps\/?$/, answer: (call) => listApps(call, world.people.get(call.me)?.role === "ADMIN") },
  ];
}

export function makeMediaRoutes({ uploads }: RouteParts): Route[] {
  function announce({ me, body }: Call): Answer {
    const fields = new Fields(body);
    const filename = fields.text("filename", { least: 1, most: 255 }) ?? "";
    const size = fields.whole("size", { least: 1 }) ?? 0;
    const type = fields.text("content_type", { most: 255 });
    fields.check("filename", "size");
    const content_type = (type ?? "").split(";")[0]?.trim() || "application/octet-stream";
    const key = uploads.announce({ owner: me, filename, size, content_type });
    const url = `${OBJECTS}${key}?signature=fake`;
    return { body: { key, upload: { method: "PUT", url, headers: { "Content-Type": content_type } }, expires_in: 3600 } };
  }
  return [{ method: "POST", path: /^\/media\/uploads$/, reads: "body", answer: announce }];
}

function readWindow(query: Record<string, string>, usual: number): { skip: number; limit: number } {
  const fields = new Fields(query, "query");
  const window = { skip: fields.whole("skip", { least: 0 }) ?? 0, limit: fields.whole("limit", { least: 1, most: 100 }) ?? usual };
  fields.check();
  return window;
}
