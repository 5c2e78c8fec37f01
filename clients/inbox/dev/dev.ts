/** The inbox with a fake client, to look at: `?language=zh&theme=dark&peer=31002&many=5000&new=130`. Tests find the client as `fake`. */
import { CarillonError } from "@carillon/client";
import "../src/inbox";
import { makeExample, makeMany } from "./example";
import { FakeClient } from "./fake-client";

const query = new URLSearchParams(location.search);
const language = query.get("language") === "zh" ? "zh" : "en";
const data = makeExample(language);
const many = Number(query.get("many"));
if (many) data.messages.set(31002, makeMany(31002, many, Number(query.get("new"))));
const fake = new FakeClient(data);
fake.delay = Number(query.get("delay") ?? fake.delay);
fake.isRead = query.has("read");
if (query.has("all")) fake.loadAll(31002);
if (query.has("fail")) fake.failWith = new CarillonError("down", { code: "NO_ANSWER" });

const inbox = document.createElement("carillon-inbox");
inbox.lang = language;
inbox.theme = (query.get("theme") ?? "auto") as typeof inbox.theme;
if (query.has("peer")) inbox.peer = Number(query.get("peer"));
if (query.has("dir")) document.documentElement.dir = "rtl";
inbox.client = fake;
Object.assign(window, { fake, inbox, CarillonError });
document.querySelector("#page")?.append(inbox);
