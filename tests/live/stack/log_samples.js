'use strict';
// The shapes of the real backend's log lines that a log reader has to cope with, secrets among them.

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (number) => String(number).padStart(2, '0');

function stamp(now) {
  const day = `${two(now.getUTCDate())}/${MONTHS[now.getUTCMonth()]}/${now.getUTCFullYear()}`;
  return `${day}:${two(now.getUTCHours())}:${two(now.getUTCMinutes())}:${two(now.getUTCSeconds())} +0000`;
}

// morgan's `combined`
function access(request, status, size) {
  const agent = request.headers['user-agent'] || '-';
  const referrer = request.headers.referer || '-';
  const line = `${request.method} ${request.url} HTTP/${request.httpVersion}`;
  return `${request.socket.remoteAddress} - - [${stamp(new Date())}] "${line}" ${status} ${size} "${referrer}" "${agent}"`;
}

function boot(environment) {
  console.log(`Connecting to Redis: ${environment.REDIS_URL}`);
  console.error(
    "ValidationError: The Express 'trust proxy' setting is true, which allows anyone to trivially bypass IP-based rate limiting.\n"
    + "    at Object.trustProxy (/app/node_modules/express-rate-limit/dist/index.cjs:169:13) {\n  code: 'ERR_ERL_PERMISSIVE_TRUST_PROXY'\n}",
  );
}

// The old version prints this for every sign-in, password and all; the prompt holds "error" and is none.
function signin(body) {
  console.log(`Validation input: ${JSON.stringify({ email: body.email, password: body.password }, null, 2)}`);
}

function prompt(text) {
  console.log(`📝 프롬프트: ${text}`);
}

function failure(jobId, error) {
  console.error(`Error processing job ${jobId}: ${error.stack}`);
  console.error('❌ ComfyUI 워크플로우 제출 실패');
}

module.exports = { access, boot, signin, prompt, failure };
