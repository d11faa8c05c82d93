// The schema and the resolvers that Apollo Server and Mercurius serve: as much of ours as the benchmark asks for, on pg.

import pg from 'pg';

export const typeDefs = `
  interface Node { id: ID! }
  type Location { latitude: Float!, longitude: Float! }
  type Dam implements Node {
    id: ID!, name: String, river: String, state: String, dateBuilt: String, heightFt: Float, location: Location!
  }
  type PageInfo { hasNextPage: Boolean!, endCursor: String }
  type DamConnection { nodes: [Dam!]!, pageInfo: PageInfo! }
  type NearbyDam { distanceM: Float!, dam: Dam! }
  input BoxInput { west: Float!, south: Float!, east: Float!, north: Float! }
  input DamFilter { text: String, states: [String!], box: BoxInput }
  input LocationInput { latitude: Float!, longitude: Float! }
  input AddDamInput { name: String, owner: String, river: String, dateBuilt: String, location: LocationInput }
  type DamError { message: String! }
  type AddDamPayload { dam: Dam, errors: [DamError!]! }
  type Query {
    dams(first: Int, after: String, where: DamFilter): DamConnection!
    node(id: ID!): Node
    nearestDams(latitude: Float!, longitude: Float!, first: Int = 10): [NearbyDam!]!
  }
  type Mutation { addDam(input: AddDamInput!): AddDamPayload! }
`;

const COLUMNS = 'shown.id, shown.name, shown.river, shown.state, shown.date_built AS "dateBuilt", shown.height_ft AS "heightFt", shown.latitude, shown.longitude';
const FROM = 'FROM peer.dams shown JOIN public.dams kept USING (id)';

const CONDITIONS = {
  text: (text, bind) => `kept.search_key LIKE '%' || ${bind(text)} || '%'`,
  states: (states, bind) => `kept.state = ANY(${bind(states)})`,
  box: ({ west, south, east, north }, bind) =>
    `kept.point && ST_MakeEnvelope(${bind(west)}, ${bind(south)}, ${bind(east)}, ${bind(north)}, 4326)`,
};

const encode = (...parts) => Buffer.from(JSON.stringify(parts)).toString('base64url');
const decode = (text) => JSON.parse(Buffer.from(text, 'base64url').toString());

export function makeResolvers(databaseUrl) {
  const pool = new pg.Pool({ connectionString: databaseUrl });

  async function dams(_, { first = 20, after, where = {} }) {
    const values = [];
    const bind = (value) => `$${values.push(value)}`;
    const conditions = Object.entries(where).map(([name, value]) => CONDITIONS[name](value, bind));
    if (after) conditions.push(`shown.id > ${bind(decode(after)[1])}`);
    const from = conditions.length ? `${FROM} WHERE ${conditions.join(' AND ')}` : 'FROM peer.dams shown';
    const { rows } = await pool.query(`SELECT ${COLUMNS} ${from} ORDER BY shown.id LIMIT ${bind(first + 1)}`, values);
    const nodes = rows.slice(0, first);
    const endCursor = nodes.length ? encode('place', nodes.at(-1).id) : null;
    return { nodes, pageInfo: { hasNextPage: rows.length > first, endCursor } };
  }

  async function node(_, { id }) {
    const { rows } = await pool.query(`SELECT ${COLUMNS} FROM peer.dams shown WHERE id = $1`, [decode(id)[1]]);
    return rows[0] ?? null;
  }

  async function nearestDams(_, { latitude, longitude, first }) {
    const statement = `SELECT near.distance_m AS "distanceM", ${COLUMNS}
      FROM peer.nearest_dams($1, $2, $3) near, LATERAL (SELECT (near.dam).*) shown`;
    const { rows } = await pool.query(statement, [latitude, longitude, first]);
    return rows.map((row) => ({ distanceM: row.distanceM, dam: row }));
  }

  async function addDam(_, { input: { name, owner, river, dateBuilt, location } }) {
    const values = [name, owner, river, dateBuilt, location.latitude, location.longitude];
    const { rows } = await pool.query(`SELECT ${COLUMNS} FROM peer.add_dam($1, $2, $3, $4, $5, $6) shown`, values);
    return { dam: rows[0], errors: [] };
  }

  return {
    Query: { dams, node, nearestDams },
    Mutation: { addDam },
    Dam: { id: (dam) => encode('Dam', dam.id), location: (dam) => dam },
  };
}
