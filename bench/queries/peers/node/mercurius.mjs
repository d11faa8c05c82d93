// Mercurius on Fastify with its just-in-time compiler, as its quick start shows it. node mercurius.mjs PORT DATABASE-URL

import Fastify from 'fastify';
import mercurius from 'mercurius';

import { makeResolvers, typeDefs } from './inventory.mjs';

const [port, databaseUrl] = process.argv.slice(2);
const { Query, Mutation, Dam } = makeResolvers(databaseUrl);
const resolvers = { Query, Mutation, Dam, Node: { resolveType: () => 'Dam' } };
const app = Fastify();
app.register(mercurius, { schema: typeDefs, resolvers, jit: 1 });
await app.listen({ host: '127.0.0.1', port: Number(port) });
