import { listen, require, token, url } from "./operations.mjs";

const { createClient } = require("graphql-ws");

const client = createClient({
  url: url.replace("http", "ws"),
  webSocketImpl: require("ws"),
  connectionParams: { Authorization: `Bearer ${token}` },
});

async function first(query, variables) {
  for await (const { data, errors } of client.iterate({ query, variables })) {
    if (errors) throw new Error(JSON.stringify(errors));
    return data;
  }
}

await listen({ ask: first, first });
await client.dispose();
