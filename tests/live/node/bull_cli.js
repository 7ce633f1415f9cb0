'use strict';
// Drives the real Bull for the tests: makes queues, and says afterwards what Bull itself thinks of them.
// usage: REDIS_URL=… node bull_cli.js <command> <json, or - to read it from stdin>; prints one JSON value.

const Bull = require('bull');

const DEFAULT_QUEUE = 'image generation';
const POLL_MS = 20;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Connections are made lazily by Bull; every command uses one queue and closes it.
function open(options) {
  return new Bull(options.queue || DEFAULT_QUEUE, process.env.REDIS_URL, { settings: options.settings || {} });
}

async function found(queue, id) {
  const job = await queue.getJob(id);
  if (!job) throw new Error(`no job ${id}`);
  return job;
}

async function counts(queue) {
  const [figures, paused] = await Promise.all([queue.getJobCounts(), queue.isPaused()]);
  return { ...figures, isPaused: paused };
}

// jobs: [{name, data, opts}], each repeated `copies` times. In slices, so that 200,000 jobs fit in memory.
async function add(queue, { jobs, copies = 1 }) {
  const ids = [];
  const wanted = jobs.flatMap((job) => Array.from({ length: copies }, () => job));
  for (let from = 0; from < wanted.length; from += 5000) {
    const slice = wanted.slice(from, from + 5000);
    const added = await queue.addBulk(slice.map((job) => ({ name: 'generateImage', data: {}, ...job })));
    ids.push(...added.map((job) => String(job.id)));
  }
  return ids;
}

function handler({ ms = 0, fail = '', returns = 'done' }) {
  return async (job) => {
    const wait = job.data.ms === undefined ? ms : job.data.ms;
    if (wait) await pause(wait);
    const complaint = job.data.fail || fail;
    if (complaint) throw new Error(complaint === true ? 'Request failed with status code 500' : complaint);
    return returns;
  };
}

// A worker that runs until nothing is waiting, active or (unless told otherwise) delayed.
async function work(queue, options) {
  const { concurrency = 5, seconds = 60, delayed = true } = options;
  queue.process('*', concurrency, handler(options));
  const limit = Date.now() + seconds * 1000;
  for (;;) {
    const now = await queue.getJobCounts();
    if (now.waiting + now.active + (delayed ? now.delayed : 0) === 0) return counts(queue);
    if (Date.now() > limit) throw new Error(`not drained after ${seconds} s: ${JSON.stringify(now)}`);
    await pause(POLL_MS);
  }
}

// A worker that runs until it is told to stop by SIGTERM or by the end of its stdin.
async function consume(queue, options) {
  queue.process('*', options.concurrency || 5, handler(options));
  await queue.isReady();
  process.stdout.write('{"ready":true}\n');
  await new Promise((resolve) => {
    process.once('SIGTERM', resolve);
    process.stdin.resume().once('end', resolve);
  });
  return counts(queue);
}

// Takes jobs as a worker would and dies with them: they stay active; without `lock` as if it expired long ago.
async function take(queue, { count = 1, lock = false }) {
  const taken = [];
  for (let number = 0; number < count; number += 1) {
    const job = await queue.getNextJob();
    if (!job) break;
    taken.push(String(job.id));
    if (!lock) await queue.client.del(job.lockKey());
  }
  return taken;
}

async function job(queue, { id }) {
  const one = await found(queue, id);
  const [state, logs] = await Promise.all([one.getState(), queue.getJobLogs(id)]);
  return { ...one.toJSON(), state, logs: logs.logs };
}

async function states(queue, { ids }) {
  const answer = {};
  for (const id of ids) {
    const one = await queue.getJob(id);
    answer[id] = one ? await one.getState() : null;
  }
  return answer;
}

async function ids(queue, { state, start = 0, end = -1 }) {
  const jobs = await queue.getJobs([state], start, end, true);
  return jobs.filter(Boolean).map((one) => String(one.id));
}

const commands = {
  add,
  work,
  consume,
  take,
  job,
  states,
  ids,
  counts: (queue) => counts(queue),
  pause: async (queue) => { await queue.pause(); return counts(queue); },
  resume: async (queue) => { await queue.resume(); return counts(queue); },
  clean: (queue, { state, grace = 0, limit }) => queue.clean(grace, state, limit),
  retry: async (queue, { id, ids: several = [id] }) => {
    for (const one of several) await (await found(queue, one)).retry();
    return states(queue, { ids: several });
  },
  remove: async (queue, { id }) => { await (await found(queue, id)).remove(); return states(queue, { ids: [id] }); },
  log: async (queue, { id, line }) => (await found(queue, id)).log(line),
  obliterate: async (queue, { force = true }) => { await queue.obliterate({ force }); return counts(queue); },
};

async function readAll(stream) {
  let text = '';
  for await (const chunk of stream) text += chunk;
  return text;
}

async function main() {
  const [name, argument = '{}'] = process.argv.slice(2);
  if (!commands[name]) throw new Error(`unknown command ${name}; one of ${Object.keys(commands).join(', ')}`);
  const options = JSON.parse(argument === '-' ? await readAll(process.stdin) : argument);
  const queue = open(options);
  const answer = await commands[name](queue, options);
  // doNotWaitJobs: the CLI is a test tool, a slow job must not keep it from ending.
  await queue.close(true);
  return answer;
}

main().then(
  (answer) => process.stdout.write(`${JSON.stringify(answer === undefined ? null : answer)}\n`, () => process.exit(0)),
  (error) => process.stderr.write(`${error.stack}\n`, () => process.exit(1)),
);
