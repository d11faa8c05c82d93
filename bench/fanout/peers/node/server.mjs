// graphql-ws on ws, with graphql-redis-subscriptions on ioredis: put together as their READMEs do.
// node server.mjs PORT REDIS-URL

import { once } from 'node:events';

import { buildSchema } from 'graphql';
import { RedisPubSub } from 'graphql-redis-subscriptions';
import { useServer } from 'graphql-ws/use/ws';
import { Redis } from 'ioredis';
import { WebSocketServer } from 'ws';

const [port, redisUrl] = process.argv.slice(2);

const publisher = new Redis(redisUrl);
const subscriber = new Redis(redisUrl);
// ioredis loses a subscription that comes before its connection is ready.
await Promise.all([once(publisher, 'ready'), once(subscriber, 'ready')]);
const pubsub = new RedisPubSub({ publisher, subscriber });

const schema = buildSchema(`
  type Location { latitude: Float!, longitude: Float! }
  type Dam { id: ID!, name: String, owner: String, river: String, dateBuilt: String, location: Location! }
  type Query { ready: Boolean! }
  type Subscription { damAdded: Dam! }
`);
schema.getSubscriptionType().getFields().damAdded.subscribe = () => pubsub.asyncIterableIterator('dams');

useServer({ schema }, new WebSocketServer({ host: '127.0.0.1', port: Number(port), path: '/graphql', backlog: 4096 }));
