// Without a WebSocket: subscriptions are multipart answers.
import { listenOver } from "./apollo-client.mjs";
import { require, token, url } from "./operations.mjs";

const { HttpLink } = require("@apollo/client");

await listenOver(new HttpLink({ uri: url, headers: { Authorization: `Bearer ${token}` } }));
