'use strict';
const { MongoClient } = require('mongoose').mongo;

async function main() {
  const client = await MongoClient.connect('mongodb://127.0.0.1:27017', { serverSelectionTimeoutMS: 30000 });
  const { MONGO_INITDB_ROOT_USERNAME: user, MONGO_INITDB_ROOT_PASSWORD: pwd } = process.env;
  const { users } = await client.db('admin').command({ usersInfo: user });
  if (users.length === 0) await client.db('admin').command({ createUser: user, pwd, roles: ['root'] });
  await client.close();
}

main().catch((error) => { console.error(error); process.exit(1); });
