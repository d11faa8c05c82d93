// The audits of the working group: `node audits.mjs <url>` prints those that are not passed, as JSON.
import { createRequire } from "node:module";

const require = createRequire(new URL("../../web/package.json", import.meta.url));
const { serverAudits } = require("graphql-http");

const [url] = process.argv.slice(2);
const results = [];
for (const audit of serverAudits({ url })) results.push(await audit.fn());

const failed = results.filter(({ status }) => status !== "ok");
console.log(JSON.stringify({ count: results.length, failed: failed.map(({ id, name, reason }) => `${id} ${name}: ${reason}`) }));
