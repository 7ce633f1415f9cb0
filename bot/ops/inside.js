'use strict';
// Run inside the backend's container as `node -e <this text> [address of the mcp-server]`: tries what the backend depends on, from the
// backend's own environment, prints one line of JSON and ends, whatever hangs. Node 14 and no module is enough; the drivers are used where
// they are. No address with its login, no name, no password and no vendor's wording is printed: only hosts, times and kinds of trouble.

const dns = require('dns');
const http = require('http');
const net = require('net');
const tls = require('tls');

const STEP = 2500; // for each single step
const LIMIT = 6000; // for all of it
const COLLECTION = 'imagegenerationjobs';
const KEY = 'bull:image generation:id';
const HOST = /^[A-Za-z0-9._-]{1,253}$|^[0-9A-Fa-f:.]{2,45}$/;
// Without "@" behind the hosts: there it means that a password was not percent-encoded, and the "host" is a part of the login.
const MONGODB_URI = /^mongodb(\+srv)?:\/\/(?:([^@/?#]*)@)?([^/?@]+)(?:\/([^?@]*))?(?:\?([^@]*))?$/;
const BY_CODE = {
  ENOTFOUND: 'dns', EAI_AGAIN: 'dns', EAI_FAIL: 'dns', ENODATA: 'dns',
  ECONNREFUSED: 'refused', ETIMEDOUT: 'timed_out', ESOCKETTIMEDOUT: 'timed_out',
  EHOSTUNREACH: 'unreachable', ENETUNREACH: 'unreachable', EADDRNOTAVAIL: 'unreachable',
  ECONNRESET: 'closed', EPIPE: 'closed', 13: 'auth', 18: 'auth',
};
const BY_WORDS = [
  [/authenticat|not authorized|NOAUTH|WRONGPASS|NOPERM|invalid password|-DENIED/i, 'auth'],
  [/LOADING/, 'loading'],
  [/MongoParseError|URIError|Invalid URL/i, 'address'],
  [/timed? ?out/i, 'timed_out'],
];

const results = [];
let lookups = 0;

const trouble = (kind) => Object.assign(new Error(kind), { trouble: kind });

function kindOf(error) {
  for (let at = error, depth = 0; at && depth < 5; at = at.cause || at.reason, depth += 1) {
    if (at.trouble) return at.trouble;
    if (Object.prototype.hasOwnProperty.call(BY_CODE, String(at.code))) return BY_CODE[at.code];
    if (/^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|UNABLE_TO|SELF_SIGNED|EPROTO)/.test(String(at.code))) return 'tls';
    const found = BY_WORDS.find(([pattern]) => pattern.test(`${at.name} ${at.message}`));
    if (found) return found[1];
  }
  return 'failed';
}

const since = (began) => Math.round(Number(process.hrtime.bigint() - began) / 1e4) / 100;

function bounded(promise, milliseconds) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(reject, milliseconds, trouble('timed_out'));
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function installed(name) {
  try {
    return require(name);
  } catch (_) {
    return null;
  }
}

async function lookedUp(host) {
  lookups += 1;
  const asked = dns.promises.lookup(host, { all: true }).finally(() => {
    lookups -= 1;
  });
  asked.catch(() => {}); // it may fail after we gave it up
  return (await bounded(asked, STEP)).map((one) => one.address);
}

function connected(address, place) {
  let socket;
  const opened = new Promise((resolve, reject) => {
    const options = { host: address, port: place.port };
    const name = net.isIP(place.host) ? undefined : place.host;
    socket = place.secure ? tls.connect({ ...options, servername: name, rejectUnauthorized: false }) : net.connect(options);
    socket.once(place.secure ? 'secureConnect' : 'connect', () => resolve(socket));
    socket.on('error', reject);
  });
  return bounded(opened, STEP).catch((error) => {
    socket.destroy();
    throw error;
  });
}

// Name, then connection, to the first of the places that can be reached; the open socket.
async function reached(result, places) {
  let first = null;
  for (const place of places.slice(0, 3)) {
    Object.assign(result, { host: place.host, port: place.port, addresses: [], resolve_ms: null, connect_ms: null });
    try {
      let began = process.hrtime.bigint();
      result.addresses = (await lookedUp(place.host)).slice(0, 4);
      result.resolve_ms = since(began);
      began = process.hrtime.bigint();
      const socket = await connected(result.addresses[0], place);
      result.connect_ms = since(began);
      return socket;
    } catch (error) {
      first = first || error;
    }
  }
  throw first || trouble('address');
}

// Send, and collect what comes until `whole` makes something of it.
function exchanged(socket, request, whole) {
  return bounded(new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      seen = Buffer.concat([seen, chunk]);
      try {
        const answer = whole(seen);
        if (answer !== null) resolve(answer);
        else if (seen.length > 1 << 20) reject(trouble('protocol'));
      } catch (error) {
        reject(error);
      }
    });
    socket.on('error', reject);
    socket.on('close', () => reject(trouble('closed')));
    socket.write(request);
  }), STEP);
}

function place(text, port, secure) {
  const found = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text);
  const host = found && (found[1] || found[2]);
  if (!host || !HOST.test(host)) throw trouble('address');
  return { host, port: Number(found[3] || port), secure };
}

async function mongodbPlaces(found) {
  const options = new URLSearchParams(found[5] || '');
  const secure = (options.get('tls') || options.get('ssl') || String(Boolean(found[1]))) === 'true';
  const places = found[3].split(',').map((one) => place(one, 27017, secure));
  if (!found[1]) return places;
  const listed = await bounded(dns.promises.resolveSrv(`_mongodb._tcp.${places[0].host}`), STEP);
  return listed.map((one) => place(`${one.name}:${one.port}`, 27017, secure));
}

async function mongodbByDriver(uri, result) {
  const mongoose = installed('mongoose');
  const driver = (mongoose && mongoose.mongo) || installed('mongodb');
  if (!driver || !driver.MongoClient) return false;
  result.how = mongoose && mongoose.mongo ? 'mongoose' : 'mongodb';
  const client = new driver.MongoClient(uri, { serverSelectionTimeoutMS: STEP, connectTimeoutMS: STEP, appName: 'vcc-ops-bot' });
  client.on('error', () => {});
  await bounded(client.connect(), STEP + 500);
  // A ping needs no rights: only a read proves the login.
  await bounded(client.db().collection(COLLECTION).findOne({}, { projection: { _id: 1 }, maxTimeMS: STEP }), STEP);
  Object.assign(result, { auth: true, read: true });
  return true;
}

// OP_MSG with {hello: 1, $db: "admin"}: proves that a MongoDB server is there; not that the login is right.
function helloMessage() {
  const word = (value) => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    return bytes;
  };
  const elements = Buffer.concat([Buffer.from('\x10hello\0'), word(1), Buffer.from('\x02$db\0'), word(6), Buffer.from('admin\0\0')]);
  const body = Buffer.concat([word(0), Buffer.from([0]), word(elements.length + 4), elements]);
  return Buffer.concat([word(body.length + 16), word(1), word(0), word(2013), body]);
}

function helloAnswered(seen) {
  if (seen.length < 16) return null;
  if (seen.readInt32LE(8) !== 1 || seen.readInt32LE(12) !== 2013) throw trouble('protocol');
  return seen.length >= Math.min(seen.readInt32LE(0), 1 << 19) ? true : null;
}

async function mongodb(result) {
  const uri = process.env.MONGODB_URI;
  if (!uri) throw trouble('unset');
  const found = MONGODB_URI.exec(uri);
  if (!found) throw trouble('address');
  const socket = await reached(result, await mongodbPlaces(found));
  if (await mongodbByDriver(uri, result)) return;
  result.how = 'handshake';
  await exchanged(socket, helloMessage(), helloAnswered);
}

function redisPlace(uri) {
  let url;
  try {
    url = new URL(uri);
  } catch (_) {
    throw trouble('address');
  }
  const rest = `${url.pathname}${url.search}${url.hash}`;
  if (!/^rediss?:$/.test(url.protocol) || !url.hostname || rest.includes('@')) throw trouble('address');
  const secure = url.protocol === 'rediss:';
  const login = { name: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
  return { ...place(`${url.hostname}:${url.port || 6379}`, 6379, secure), login };
}

async function redisByDriver(uri, result) {
  const Redis = installed('ioredis'); // Bull's own, where it is not hidden inside Bull
  const library = installed('redis');
  let client;
  if (typeof Redis === 'function') {
    const quick = { retryStrategy: () => null, maxRetriesPerRequest: 0, connectTimeout: STEP };
    client = new Redis(uri, { lazyConnect: true, enableReadyCheck: false, ...quick });
    result.how = 'ioredis';
  } else if (library && typeof library.createClient === 'function') {
    client = library.createClient({ url: uri, socket: { connectTimeout: STEP, reconnectStrategy: false } });
    result.how = 'redis';
  }
  if (!client) return false;
  const heard = [];
  client.on('error', (error) => heard.push(error));
  try {
    await bounded(client.connect(), STEP);
    await bounded(client.ping(), STEP);
    await bounded(client.exists(KEY), STEP);
  } catch (error) {
    throw heard.length && kindOf(error) === 'failed' ? heard[0] : error;
  }
  return true;
}

const request = (...words) => `*${words.length}\r\n${words.map((one) => `$${Buffer.byteLength(one)}\r\n${one}\r\n`).join('')}`;

async function redisByHand(socket, { login }) {
  const named = login.name && login.name !== 'default' ? [login.name] : [];
  const asked = [request('PING'), request('EXISTS', KEY)];
  if (login.password) asked.unshift(request('AUTH', ...named, login.password));
  const answers = await exchanged(socket, asked.join(''), (seen) => {
    const lines = seen.toString('latin1').split('\r\n');
    return lines.length > asked.length ? lines.slice(0, asked.length) : null;
  });
  if (/without any password|no password is set/i.test(answers[0])) answers[0] = '+OK'; // a password it did not ask for
  const refused = answers.find((answer) => answer.startsWith('-'));
  if (refused) throw trouble(kindOf(new Error(refused)));
  const [pong, found] = answers.slice(-2);
  if (pong !== '+PONG' || !/^:\d+$/.test(found)) throw trouble('protocol');
}

async function redis(result) {
  const uri = process.env.REDIS_URL;
  if (!uri) throw trouble('unset');
  const where = redisPlace(uri);
  const socket = await reached(result, [where]);
  if (!(await redisByDriver(uri, result))) {
    result.how = 'handshake';
    await redisByHand(socket, where);
  }
  Object.assign(result, { auth: true, read: true });
}

async function mcp(result) {
  const url = new URL(process.argv[1]);
  const where = place(url.host, 80, false);
  (await reached(result, [where])).destroy();
  result.how = 'http';
  const status = await bounded(new Promise((resolve, reject) => {
    const asked = http.get(url, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode));
    });
    asked.on('error', reject);
  }), STEP);
  if (status !== 200) throw trouble('unhealthy');
  result.read = true;
}

function end() {
  process.stdout.write(`${JSON.stringify({ vcc_check: 1, node: process.versions.node, targets: results })}\n`);
  // A name that is still being looked up would hold the exit until the resolver gives up.
  if (lookups > 0) process.kill(process.pid, 'SIGKILL');
  process.exit(0);
}

async function tried(name, work) {
  const began = process.hrtime.bigint();
  const result = {
    name, host: '', port: 0, addresses: [], resolve_ms: null, connect_ms: null, how: '', auth: null, read: null, took_ms: LIMIT,
    problem: 'timed_out', // until it is known better
  };
  results.push(result);
  try {
    await work(result);
    result.problem = '';
  } catch (error) {
    result.problem = kindOf(error);
    if (result.problem === 'auth') result.auth = false;
  }
  result.took_ms = since(began);
}

for (const event of ['uncaughtException', 'unhandledRejection']) process.on(event, () => {}); // a driver's; its target times out
setTimeout(end, LIMIT);
const work = [tried('mongodb', mongodb), tried('redis', redis)];
if (process.argv[1]) work.push(tried('mcp-server', mcp));
Promise.all(work).then(end, end);
