/** A business app as an integrator writes it: its callback page verifies the ticket and says who has come. */
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { LiveAbout } from "../../typescript/tests/live/live-stack";

export interface DemoApp {
  url: string;
  /** Tell it where Carillon is and who it is there. */
  attach(about: LiveAbout): void;
  close(): void;
}

export async function startDemoApp(): Promise<DemoApp> {
  let about: LiveAbout | null = null;
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://app");
    response.setHeader("Content-Type", "text/html; charset=utf-8");
    if (pathname !== "/callback" || !about) return void response.writeHead(404).end();
    verify(about, searchParams.get("ticket") ?? "").then(
      (person) => response.end(`<h1>Welcome, ${person.name}</h1><p id="next">${searchParams.get("next") ?? ""}</p>`),
      (error: unknown) => response.writeHead(403).end(`<h1>Refused</h1><p>${String(error)}</p>`),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    attach: (given) => {
      about = given;
    },
    close: () => void server.close(),
  };
}

async function verify({ url, app }: LiveAbout, ticket: string): Promise<{ user_id: number; name: string }> {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const signed = `app_id=${app.app_id}&timestamp=${timestamp}`;
  const answer = await fetch(`${url}/api/v1/simple/sso/verify`, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      "X-App-Id": app.app_id,
      "X-Timestamp": timestamp,
      "X-Sign": createHmac("sha256", app.secret).update(signed).digest("hex"),
    },
    body: JSON.stringify({ ticket }),
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return (await answer.json()) as { user_id: number; name: string };
}
