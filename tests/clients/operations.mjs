// What both clients ask, and where they find the packages of web/.
import { createRequire } from "node:module";

export const require = createRequire(new URL("../../web/package.json", import.meta.url));
export const [url, token] = process.argv.slice(2);

export const CURSOR = "query { inventory { eventCursor } }";
export const ADD = "mutation ($input: AddDamInput!) { addDam(input: $input) { dam { name } } }";
export const FOLLOW = "subscription ($after: String) { damAdded(after: $after) { name cursor } }";

export const input = (name) => ({
  name,
  owner: "Other",
  river: "Provo River",
  dateBuilt: "1941",
  location: { latitude: 40.4, longitude: -111.5 },
});

/** Adds while it listens, adds while it does not, and tells the names that it has seen. */
export async function listen({ ask, first }) {
  const { inventory } = await ask(CURSOR, {});
  const live = first(FOLLOW, { after: inventory.eventCursor });
  await ask(ADD, { input: input("Deer Creek") });
  const { name, cursor } = (await live).damAdded;
  await ask(ADD, { input: input("Jordanelle") });
  const resumed = await first(FOLLOW, { after: cursor });
  console.log(JSON.stringify([name, resumed.damAdded.name]));
}
