'use strict';
// Lets the real Bull do random things to several queues at once, and says afterwards where Bull itself sees every job.
// usage: REDIS_URL=… node bull_random.js '{"seed": 1, "queues": ["a b"], "operations": 2500}'; prints one JSON object by queue name.

const Bull = require('bull');
const scripts = require('bull/lib/scripts');

// A small generator of our own, since Math.random takes no seed.
function dice(seed) {
  let state = seed >>> 0;
  return (sides) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * sides);
  };
}

const OPTIONS = [
  {},
  { lifo: true },
  { priority: 1 },
  { priority: 7 },
  { delay: 3600000 },
  { attempts: 3 },
  { attempts: 2, backoff: 3600000 },
  { attempts: 1, priority: 2, lifo: true },
];

class Player {
  constructor(name, seed) {
    this.queue = new Bull(name, process.env.REDIS_URL);
    this.roll = dice(seed);
    this.ids = [];
    this.held = [];
    this.done = {};
    this.add = this.add.bind(this);
  }

  any(list) {
    return list[this.roll(list.length)];
  }

  async add() {
    const options = { ...this.any(OPTIONS) };
    if (this.roll(12) === 0) options.jobId = this.any(['그림:', 'a b ', 'x:y:']) + this.ids.length;
    const job = await this.queue.add('generateImage', { jobId: String(this.ids.length) }, options);
    this.ids.push(String(job.id));
  }

  // As a worker takes the next job, without waiting for one.
  async take() {
    const [data, id] = await scripts.moveToActive(this.queue);
    const job = await this.queue.nextJobFromJobData(data, id);
    if (job) this.held.push(job);
  }

  async end(how) {
    if (!this.held.length) return false;
    const [job] = this.held.splice(this.roll(this.held.length), 1);
    await how(job);
    return true;
  }

  // On a job that Bull says is in this state; Bull may still refuse.
  async pick(state, how) {
    const found = await this.queue.getJobs([state], 0, 20, this.roll(2) === 0);
    const job = found.filter(Boolean)[0];
    if (!job) return false;
    await how(job);
    return true;
  }

  operation() {
    const table = [
      ['add', 30, this.add],
      ['take', 26, () => this.take()],
      ['complete', 9, () => this.end((job) => job.moveToCompleted('done', false, true))],
      ['fail', 13, () => this.end((job) => job.moveToFailed(new Error(`code ${this.roll(600)}`)))],
      ['lose', 2, () => this.end((job) => this.queue.client.del(job.lockKey()))],
      ['retry', 6, () => this.pick('failed', (job) => job.retry())],
      ['promote', 4, () => this.pick('delayed', (job) => job.promote())],
      ['remove', 5, () => this.pick(this.any(['wait', 'paused', 'delayed', 'completed', 'failed']), (job) => job.remove())],
      ['pause', 2, async () => { await this.queue.pause(); }],
      ['resume', 3, async () => { await this.queue.resume(); }],
    ];
    let left = this.roll(100);
    return table.find(([, share]) => (left -= share) < 0);
  }

  async play(operations, paused) {
    await this.queue.isReady();
    // Only what could be done counts: not the end of a job when none is held.
    for (let number = 0; number < operations;) {
      const [name, , work] = this.operation();
      if ((await work()) === false) continue;
      this.done[name] = (this.done[name] || 0) + 1;
      number += 1;
    }
    await (paused ? this.queue.pause() : this.queue.resume());
    const states = {};
    for (let from = 0; from < this.ids.length; from += 200) {
      const slice = this.ids.slice(from, from + 200);
      const found = await Promise.all(slice.map((id) => this.queue.getJob(id)));
      const said = await Promise.all(found.map((job) => (job ? job.getState() : null)));
      slice.forEach((id, at) => { states[id] = said[at]; });
    }
    const counts = await this.queue.getJobCounts();
    const isPaused = await this.queue.isPaused();
    await this.queue.close(true);
    return { counts, isPaused, states, done: this.done };
  }
}

async function main() {
  const { seed, queues, operations } = JSON.parse(process.argv[2]);
  const players = queues.map((name, at) => new Player(name, seed + at));
  const answers = await Promise.all(players.map((player, at) => player.play(operations, at % 2 === 1)));
  return Object.fromEntries(queues.map((name, at) => [name, answers[at]]));
}

main().then(
  (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`, () => process.exit(0)),
  (error) => process.stderr.write(`${error.stack}\n`, () => process.exit(1)),
);
