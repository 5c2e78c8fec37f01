// Prints how large `@carillon/client` is for a page that takes all of it: minified and gzipped. Above the limit it fails.
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const LIMIT = 12 * 1024;

const entry = new URL("../dist/index.js", import.meta.url).pathname;
const { outputFiles, metafile } = await build({
  entryPoints: [entry],
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  write: false,
  metafile: true,
});
const [bundle] = outputFiles;
const minified = bundle.contents.length;
const gzipped = gzipSync(bundle.contents, { level: 9 }).length;
console.log(`@carillon/client: ${minified} bytes minified, ${gzipped} bytes gzipped, at most ${LIMIT}`);

const foreign = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
if (foreign.length > 0) console.error(`It needs ${foreign.join(", ")}: it must need nothing at run time.`);
if (gzipped > LIMIT) console.error("It is too large.");
process.exitCode = gzipped > LIMIT || foreign.length > 0 ? 1 : 0;
