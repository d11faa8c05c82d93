import { listen, require, token, url } from "./operations.mjs";

const { createClient } = require("graphql-sse");

const client = createClient({ url: `${url}/stream`, headers: { Authorization: `Bearer ${token}` } });

async function* results(query, variables) {
  for await (const { data, errors } of client.iterate({ query, variables })) {
    if (errors) throw new Error(JSON.stringify(errors));
    yield data;
  }
}

await listen({
  ask: async (query, variables) => {
    let answer;
    for await (answer of results(query, variables)); // until it is complete
    return answer;
  },
  first: async (query, variables) => {
    for await (const event of results(query, variables)) return event;
  },
});
client.dispose();
