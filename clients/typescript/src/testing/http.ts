/** The fake server's `fetch`: a request finds its route, and every refusal has the form of the API's. */
import { OBJECTS } from "./presenting";
import { Problem, refuse } from "./problems";
import type { Call, Route } from "./routes/route";
import type { Tokens } from "./tokens";
import type { Uploads } from "./uploads";

const API = "/api/v1";
const CHALLENGE = 'Bearer realm="carillon", Carillon-App realm="carillon"';

export interface HttpParts {
  routes: Route[];
  tokens: Tokens;
  uploads: Uploads;
}

export class FakeHttp {
  readonly #parts: HttpParts;
  #requests = 0;

  constructor(parts: HttpParts) {
    this.#parts = parts;
  }

  /** Answer a request; what is wrong with it is in the answer. With `problem`, that is the answer. */
  async answer(request: Request, problem?: Problem): Promise<Response> {
    const id = request.headers.get("X-Request-Id") ?? `fake-${++this.#requests}`;
    try {
      if (problem) throw problem;
      const response = await this.#answer(request);
      response.headers.set("X-Request-Id", id);
      return response;
    } catch (error) {
      if (error instanceof Problem) return describe(error, id);
      throw error;
    }
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname.startsWith(OBJECTS)) return await this.#answerObject(request, pathname.slice(OBJECTS.length));
    const { route, path } = this.#findRoute(request.method, pathname);
    if (request.headers.has("X-App-Id")) throw refuse("NOT_SIGNED_IN", "The fake server takes no calls of apps: use `notify` and `broadcast`.");
    const identity = this.#parts.tokens.readHeader(request.headers.get("Authorization"));
    const query = Object.fromEntries(searchParams);
    const body = route.reads ? readBody(await request.text(), route.reads === "optional") : {};
    const call: Call = { me: identity.person, identity, path, query, body, headers: request.headers };
    const { status = 200, body: answer, headers = {} } = route.answer(call);
    const personal = { ...headers, "Cache-Control": "private, no-store" };
    return answer === undefined ? new Response(null, { status, headers: personal }) : Response.json(answer, { status, headers: personal });
  }

  async #answerObject(request: Request, key: string): Promise<Response> {
    if (request.method === "PUT") return await this.#parts.uploads.put(key, await request.blob());
    return this.#parts.uploads.get(key);
  }

  #findRoute(method: string, pathname: string): { route: Route; path: string[] } {
    const below = pathname.startsWith(`${API}/`) ? pathname.slice(API.length) : "";
    // The first path counts: `/messages/unread-count` is no message.
    const found = this.#parts.routes.find(({ path }) => path.test(below));
    if (!found) throw refuse("UNKNOWN_PATH", "There is nothing at this path.");
    const there = this.#parts.routes.filter(({ path }) => path.source === found.path.source);
    const route = there.find((one) => one.method === method);
    if (route) return { route, path: (route.path.exec(below) ?? []).slice(1).map(decodeURIComponent) };
    const allowed = there.map((one) => one.method).sort();
    throw refuse("METHOD_NOT_ALLOWED", "This path does not take this method.", { Allow: allowed.join(", ") });
  }
}

function describe({ status, code, detail, headers }: Problem, request_id: string): Response {
  const challenge: Record<string, string> = status === 401 ? { "WWW-Authenticate": CHALLENGE } : {};
  const all = { ...headers, ...challenge, "X-Request-Id": request_id };
  return Response.json({ detail, code, request_id }, { status, headers: all });
}

function readBody(text: string, mayBeEmpty: boolean): Record<string, unknown> {
  if (text === "" && mayBeEmpty) return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw notJson("The body is not valid JSON.", "json_invalid");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw notJson("The body must be a JSON object.", "object_type");
  if (/\\u0000/.test(text)) throw notJson("Text must not contain NUL (U+0000).", "string_nul");
  return value as Record<string, unknown>;
}

function notJson(msg: string, type: string): Problem {
  return new Problem("BODY_NOT_JSON", [{ loc: ["body"], msg, type }]);
}
