// Makes src/api/generated/ from the documents of the API, which the code of the checkout gives without a server.
// `--check`: change nothing, and fail if the files are not what would be made.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { compile } from "json-schema-to-typescript";
import openapiTS, { astToString } from "openapi-typescript";

const root = new URL("../../../", import.meta.url);
const out = new URL("../src/api/generated/", import.meta.url);
const HEAD = "/** Generated from the API's own documents by `npm run generate`. Do not edit by hand. */\n";

const SCRIPT = `
import json
from ingest.app import DOCUMENTED
from ingest.documents import openapi
from ingest.documents.asyncapi import build_socket_document
from storage.model.close_codes import CloseCode
from storage.model.error_codes import ErrorCode
print(json.dumps({
    "openapi": openapi.build_document(DOCUMENTED),
    "asyncapi": build_socket_document(),
    "close": {one.name: int(one) for one in CloseCode},
    "errors": sorted(one.name for one in ErrorCode),
}))
`;

function readDocuments() {
  const own = new URL(".venv/bin/python", root).pathname;
  const python = process.env.PYTHON ?? (existsSync(own) ? own : "python3");
  const text = execFileSync(python, ["-c", SCRIPT], { cwd: root, maxBuffer: 1 << 26, encoding: "utf8" });
  return JSON.parse(text);
}

async function makeOpenapi(document) {
  return HEAD + astToString(await openapiTS(document, { alphabetize: true, emptyObjectsUnknown: true }));
}

// A frame is a `oneOf` of one schema, with shapes of its own below `components`.
async function makeFrames(document) {
  const { schemas, messages } = document.components;
  const frames = Object.keys(messages).filter((name) => messages[name].contentType === "application/json");
  const references = frames.map((name) => messages[name].payload);
  const description = "What comes over the socket, told apart by its `type`.";
  const schema = { title: "Frame", description, oneOf: references, components: { schemas } };
  const text = await compile(schema, "Frame", { bannerComment: "", additionalProperties: false });
  return `${HEAD}\n${text.replace(/([;}])\n\/\*\*/g, "$1\n\n/**")}`;
}

function makeUnion(name, comment, values) {
  return `${HEAD}\n/** ${comment} */\nexport type ${name} =\n${values.map((one) => `  | ${JSON.stringify(one)}`).join("\n")};\n`;
}

function makeCloseCodes(codes) {
  const lines = Object.entries(codes).map(([name, code]) => `  ${name}: ${code},`);
  return (
    `${HEAD}\n/** Why the server closed a socket. 4000 to 4499: connect again; 4500 to 4999: do not. */\n` +
    `export const CLOSE_CODES = {\n${lines.join("\n")}\n} as const;\n\n` +
    "export type CloseCode = (typeof CLOSE_CODES)[keyof typeof CLOSE_CODES];\n"
  );
}

const given = readDocuments();
const files = {
  "openapi.ts": await makeOpenapi(given.openapi),
  "frames.ts": await makeFrames(given.asyncapi),
  "error-codes.ts": makeUnion("ErrorCode", "What an error's `code` may be; a newer server may have others.", given.errors),
  "close-codes.ts": makeCloseCodes(given.close),
};
let stale = false;
for (const [name, text] of Object.entries(files)) {
  const file = new URL(name, out);
  if (!process.argv.includes("--check")) writeFileSync(file, text);
  else if (!existsSync(file) || readFileSync(file, "utf8") !== text) {
    console.error(`src/api/generated/${name} is not what \`npm run generate\` makes.`);
    stale = true;
  }
}
process.exit(stale ? 1 : 0);
