// After a build: how large each bundle is, as it is and as a browser gets it.
import { readFileSync, readdirSync } from "node:fs";
import { gzipSync } from "node:zlib";

const dist = new URL("../dist/", import.meta.url);
for (const name of readdirSync(dist).filter((one) => /\.(js|css)$/.test(one))) {
  const file = readFileSync(new URL(name, dist));
  console.log(`${name.padEnd(20)} ${(file.length / 1000).toFixed(1)} kB, gzip ${(gzipSync(file, { level: 9 }).length / 1000).toFixed(1)} kB`);
}
