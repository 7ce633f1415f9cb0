'use strict';
// Who a request comes from, as VCC Manager decides it: a signed token (user read again, must be active), or a session's cookie (user
// must only exist).

const crypto = require('crypto');
const mongoose = require('mongoose');

const { JWT_SECRET = '', SESSION_SECRET = 'your-secret-key' } = process.env;

function same(one, other) {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && crypto.timingSafeEqual(a, b);
}

async function user(id) {
  if (!mongoose.isValidObjectId(id)) return null;
  return mongoose.connection.collection('users').findOne({ _id: new mongoose.Types.ObjectId(String(id)) });
}

async function byToken(text) {
  const [head, payload, signature] = text.split('.');
  const expected = crypto.createHmac('sha256', JWT_SECRET).update(`${head}.${payload}`).digest('base64url');
  if (!JWT_SECRET || !signature || !same(expected, signature)) return null;
  const told = JSON.parse(Buffer.from(payload, 'base64url').toString());
  if (told.iss !== 'vcc-manager' || told.aud !== 'vcc-users' || told.exp < Date.now() / 1000) return null;
  const found = await user(told.id);
  return found && found.isActive !== false ? found : null;
}

async function bySession(header) {
  const entry = header.split(/;\s*/).find((part) => part.startsWith('connect.sid='));
  if (!entry) return null;
  const value = decodeURIComponent(entry.slice('connect.sid='.length)).replace(/^s:/, '');
  const cut = value.lastIndexOf('.');
  const id = value.slice(0, cut);
  const expected = crypto.createHmac('sha256', SESSION_SECRET).update(id).digest('base64').replace(/=+$/, '');
  if (cut < 1 || !same(expected, value.slice(cut + 1))) return null;
  const found = await mongoose.connection.collection('sessions').findOne({ _id: id, expires: { $gt: new Date() } });
  return found ? user((JSON.parse(found.session).passport || {}).user) : null;
}

async function userOf(request) {
  const authorization = request.headers.authorization || '';
  if (authorization.startsWith('Bearer ')) return byToken(authorization.slice(7).trim());
  return bySession(request.headers.cookie || '');
}

module.exports = { userOf };
