// Draws pictures with onnxruntime-web, beside the page's own thread, which stays free to paint on.
//
// Takes {model}, then {width, height, ids, seeds} of scenes, one at a time. Answers {engine}, then
// {colours, engine}, or {error}; before, as often as it likes, {waiting}.

import { randomNormals } from "./random_normals.js";

const RUNTIMES = {
  webgpu: {
    file: "ort.webgpu.js",
    binary: "ort-wasm-simd-threaded.asyncify.wasm",
    title: () => "WebGPU",
  },
  wasm: {
    file: "ort.wasm.js",
    binary: "ort-wasm-simd-threaded.wasm",
    title: (threads) => `WebAssembly, ${threads === 1 ? "1 thread" : `${threads} threads`}`,
  },
};
const MOST_THREADS = 8;
const TELL_AGAIN = 250; // milliseconds

let model; // what model.json says
let ort, session, engine;

onmessage = async ({ data }) => {
  try {
    if ("model" in data) {
      model = data.model;
      await open();
      postMessage({ engine });
    } else {
      const colours = await draw(data);
      postMessage({ colours, engine }, [colours.buffer]);
    }
  } catch (error) {
    postMessage({ error: error?.message ?? String(error) });
  }
};

// With the graphics card if there is one and it draws the right picture, else with the processor.
async function open() {
  if (await hasGraphicsCard()) {
    try {
      return await openWith("webgpu");
    } catch (error) {
      console.info(`WebGPU is not used: ${error.message}`);
      await session?.release().catch(() => {});
    }
  }
  await openWith("wasm");
}

async function hasGraphicsCard() {
  try {
    const adapter = await navigator.gpu?.requestAdapter();
    // The processor in its place is many times slower than WebAssembly.
    return Boolean(adapter) && !adapter.info?.isFallbackAdapter;
  } catch {
    return false;
  }
}

async function openWith(provider) {
  const runtime = RUNTIMES[provider];
  session = null;
  ort = await import(new URL(`../onnxruntime_web/${runtime.file}`, import.meta.url));
  // Threads share memory, which browsers allow to pages that are isolated from other origins.
  const threads = self.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, MOST_THREADS) : 1;
  ort.env.wasm.numThreads = threads;
  ort.env.logLevel = "error";
  const bytes = await receive();
  postMessage({ waiting: "The model is being prepared." });
  try {
    session = await ort.InferenceSession.create(bytes, { executionProviders: [provider] });
  } catch (error) {
    // Of a file that is not there, the engine says only that what came in its place is no program.
    throw new Error(`${runtime.binary}, or the model in it, cannot be started: ${error.message}`);
  }
  engine = runtime.title(threads);
  await check();
}

// The model's file; says how much of it is there.
async function receive() {
  const response = await fetch(new URL(`../model/${encodeURIComponent(model.file)}`, import.meta.url));
  if (!response.ok) throw new Error(`its file ${model.file} cannot be read (HTTP ${response.status})`);
  const bytes = new Uint8Array(model.bytes), reader = response.body.getReader();
  const megabytes = (count) => (count / 1e6).toFixed(1);
  let have = 0, told = 0;
  while (true) {
    const { done, value } = await reader.read();
    if (done) break;
    if (have + value.length > bytes.length) throw new Error(`its file ${model.file} is another one`);
    bytes.set(value, have);
    have += value.length;
    if (performance.now() - told < TELL_AGAIN) continue;
    told = performance.now();
    postMessage({ waiting: `The model is loading: ${megabytes(have)} of ${megabytes(bytes.length)} MB.` });
  }
  if (have < bytes.length) throw new Error(`its file ${model.file} is cut short`);
  return bytes;
}

// Draws a small picture that the exporting computer has drawn too. It also gets ready what is made
// at the first picture only.
async function check() {
  const { width, height, ids, seeds, colours } = model.check;
  const drawn = await run({ width, height, ids, seeds });
  if (drawn.some((level, i) => Math.abs(level - colours[i]) > 1))
    throw new Error(`${engine} draws another picture than the computer that exported the model`);
}

async function draw(scene) {
  try {
    return await run(scene);
  } catch (error) {
    // A graphics card may be lost at any time.
    if (engine !== RUNTIMES.webgpu.title()) throw error;
    console.info(`WebGPU is not used any more: ${error.message}`);
    await openWith("wasm");
    return run(scene);
  }
}

// The levels of red, green and blue, row by row: Uint8ClampedArray.
async function run({ width, height, ids, seeds }) {
  const used = [...new Set(seeds)], numbers = new Map(used.map((seed, i) => [seed, i]));
  const channels = model.noise_channels, noise = new Float32Array(used.length * channels);
  used.forEach((seed, i) => noise.set(randomNormals([seed, 0], [0, 0], channels), i * channels));
  const size = [1, height, width];
  const { image } = await session.run({
    label_map: new ort.Tensor("int32", Int32Array.from(ids), size),
    noise: new ort.Tensor("float32", noise, [1, used.length, channels]),
    noise_map: new ort.Tensor("int32", Int32Array.from(seeds, (seed) => numbers.get(seed)), size),
  });
  // Storing rounds to the nearest level, from 0 to 255.
  const values = image.data, colours = new Uint8ClampedArray(values.length);
  for (let i = 0; i < values.length; i++) colours[i] = (values[i] + 1) * 127.5;
  image.dispose();
  return colours;
}
