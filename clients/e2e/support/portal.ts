/** A portal on an origin of its own, as `clients/inbox/README.md` has it: the element, and tokens that end soon. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface Portal {
  url: string;
  close(): void;
}

/** `/?person=31001&seconds=5`: that person's inbox, with tokens for so many seconds. */
export async function startPortal(
  carillon: string,
  issueToken: (person: number, seconds: number) => Promise<string>,
): Promise<Portal> {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://portal");
    const [person, seconds] = [Number(searchParams.get("person")), Number(searchParams.get("seconds") ?? 3600)];
    if (pathname === "/token") {
      issueToken(person, seconds).then(
        (token) => response.end(token),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
      return;
    }
    response.setHeader("Content-Type", "text/html; charset=utf-8");
    response.end(writePage(carillon, person, seconds));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://localhost:${(server.address() as AddressInfo).port}`, close: () => void server.close() };
}

function writePage(carillon: string, person: number, seconds: number): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Portal</title>
<style>html, body { height: 100%; margin: 0 } body { display: grid; grid-template-rows: auto 1fr }</style>
<script type="module" src="${carillon}/inbox/carillon-inbox.js"></script></head>
<body><header>Portal <b id="badge"></b> <span id="tokens">0</span></header>
<carillon-inbox base-url="${carillon}" lang="en"></carillon-inbox>
<script type="module">
  const inbox = document.querySelector("carillon-inbox");
  let tokens = 0;
  inbox.getToken = async () => {
    document.querySelector("#tokens").textContent = String(++tokens);
    return (await fetch("/token?person=${person}&seconds=${seconds}")).text();
  };
  inbox.addEventListener("carillon-unread", (event) => {
    document.querySelector("#badge").textContent = event.detail.count || "";
  });
</script></body></html>`;
}
