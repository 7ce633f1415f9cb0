'use strict';
// The test deployment's backend: the real Bull, Mongoose and node-redis used as VCC Manager uses them, with slow pretend work.

const fs = require('fs/promises');
const http = require('http');
const path = require('path');
const Bull = require('bull');
const mongoose = require('mongoose');
const { createClient } = require('redis');
const { userOf } = require('./auth');
const log = require('./log_samples');

const { MONGODB_URI, REDIS_URL, PORT = '3000', UPLOAD_PATH = '/app/uploads' } = process.env;
const CONCURRENCY = 5;
const JOB_OPTIONS = {
  attempts: 3,
  backoff: { type: 'exponential', delay: 2000 },
  removeOnComplete: 50,
  removeOnFail: 20,
};
// One white pixel.
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsTj2FAAAAABJRU5ErkJggg==', 'base64');

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const collection = (name) => mongoose.connection.collection(name);
const objectId = (hex) => (mongoose.isValidObjectId(hex) ? new mongoose.Types.ObjectId(String(hex)) : null);

async function setStatus(id, changes) {
  if (id) await collection('imagegenerationjobs').updateOne({ _id: id }, { $set: { ...changes, updatedAt: new Date() } });
}

async function storeImage(id, job) {
  const filename = `generated_${Date.now()}_${job.id}.png`;
  const file = path.join(UPLOAD_PATH, 'generated', filename);
  await fs.writeFile(file, PNG); // the file before the document, as the application does
  if (!id) return null;
  const now = new Date();
  const { insertedId } = await collection('generatedimages').insertOne({
    filename, originalName: filename, mimeType: 'image/png', size: PNG.length, path: file, url: `/uploads/generated/${filename}`,
    jobId: id, metadata: { width: 1, height: 1, format: 'png' }, generationParams: {}, tags: [], isPublic: false, downloadCount: 0,
    createdAt: now, updatedAt: now,
  });
  return insertedId;
}

// data: {jobId, ms, fail, inputData{prompt}}; `ms` is how long it takes, `fail` makes it fail.
async function generate(job) {
  const id = objectId(job.data.jobId);
  await setStatus(id, { status: 'processing', startedAt: new Date() });
  log.prompt((job.data.inputData && job.data.inputData.prompt) || 'hello error world');
  await sleep(job.data.ms === undefined ? 200 : job.data.ms);
  if (job.data.fail) {
    const error = new Error('Failed to submit workflow: Request failed with status code 500');
    log.failure(job.data.jobId, error);
    await setStatus(id, { status: 'failed', error: { message: error.message } });
    throw error;
  }
  const image = await storeImage(id, job);
  await setStatus(id, { status: 'completed', progress: 100, completedAt: new Date(), resultImages: image ? [image] : [] });
  return { success: true };
}

function startQueue() {
  const queue = new Bull('image generation', REDIS_URL, { defaultJobOptions: JOB_OPTIONS });
  queue.process('generateImage', CONCURRENCY, generate);
  queue.on('waiting', (id) => console.log(`Job ${id} is waiting`));
  queue.on('active', (job) => console.log(`Job ${job.id} started processing`));
  queue.on('completed', (job) => console.log(`Job ${job.id} completed successfully`));
  queue.on('failed', (job, error) => console.error(`Job ${job.id} failed: ${error.stack}`));
  console.log('Job queue initialized successfully');
  return queue;
}

async function body(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text ? JSON.parse(text) : {};
}

function routes(queue) {
  return {
    'GET /health': async () => [200, { status: 'OK', timestamp: new Date().toISOString() }],
    'GET /api/jobs/queue/stats': async () => {
      const [counts, paused] = await Promise.all([queue.getJobCounts(), queue.isPaused()]);
      return [200, { stats: counts, paused }];
    },
    'POST /api/jobs': async (request) => {
      const data = await body(request);
      const job = await queue.add('generateImage', data, { priority: (data.inputData && data.inputData.priority) || 0 });
      return [201, { id: String(job.id) }];
    },
    'GET /api/auth/me': async (request) => {
      const found = await userOf(request);
      return found ? [200, { user: { id: String(found._id), email: found.email } }] : [401, { message: 'Authentication required' }];
    },
    'POST /api/auth/signin': async (request) => {
      log.signin(await body(request));
      return [401, { message: 'Invalid email or password' }];
    },
    'GET /api/boom': async () => { throw new Error("Cannot read properties of undefined (reading 'serverUrl')"); },
  };
}

async function answer(table, request) {
  const route = table[`${request.method} ${request.url.split('?')[0]}`];
  if (!route) return [404, { message: 'Route not found' }];
  try {
    return await route(request);
  } catch (error) {
    console.error(`Error: ${error.stack}`);
    return [500, { message: 'Internal server error' }];
  }
}

function serve(queue) {
  const table = routes(queue);
  const server = http.createServer(async (request, response) => {
    const [status, content] = await answer(table, request);
    const text = JSON.stringify(content);
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'content-length': Buffer.byteLength(text) });
    response.end(text);
    console.log(log.access(request, status, Buffer.byteLength(text)));
  });
  server.listen(Number(PORT), () => console.log(`Server is running on port ${PORT}`));
}

async function connectMongo() {
  try {
    await mongoose.connect(MONGODB_URI, { serverSelectionTimeoutMS: 30000 });
    console.log(`MongoDB Connected: ${mongoose.connection.host}`);
  } catch (error) {
    console.error(`Error connecting to MongoDB: ${error.message}`);
    process.exit(1);
  }
}

async function main() {
  await fs.mkdir(path.join(UPLOAD_PATH, 'generated'), { recursive: true });
  await fs.mkdir(path.join(UPLOAD_PATH, 'reference'), { recursive: true });
  await connectMongo();
  log.boot(process.env);
  // No 'error' listener, as in the real backend: when Redis goes, so does this process.
  const client = createClient({ url: REDIS_URL });
  await client.connect();
  const queue = startQueue();
  serve(queue);
  // As the later version does: end within five seconds, not waiting for active jobs.
  process.once('SIGTERM', () => {
    setTimeout(() => process.exit(0), 5000).unref();
    queue.close(true).then(() => process.exit(0), () => process.exit(0));
  });
}

main().catch((error) => { console.error('Failed to initialize queues:', error); process.exit(1); });
