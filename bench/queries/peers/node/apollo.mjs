// Apollo Server, standalone as its "Get started" shows it. node apollo.mjs PORT DATABASE-URL

import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';

import { makeResolvers, typeDefs } from './inventory.mjs';

const [port, databaseUrl] = process.argv.slice(2);
const { Query, Mutation, Dam } = makeResolvers(databaseUrl);
const resolvers = { Query, Mutation, Dam, Node: { __resolveType: () => 'Dam' } };
await startStandaloneServer(new ApolloServer({ typeDefs, resolvers }), { listen: { host: '127.0.0.1', port: Number(port) } });
