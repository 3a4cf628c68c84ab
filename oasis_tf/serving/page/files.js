// Label maps and states from files, and files for the user.

import { decodePng, encodeNumbers } from "./png.js";
import { fromBase64, toBase64 } from "./rest.js";
import { newScene } from "./scene.js";

const FORMAT = "oasis-editor-state";

// A scene from a label map (PNG) or a saved state (JSON), and a notice or "".
export async function readScene(file, model) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (bytes[0] === "{".charCodeAt(0)) return [await readState(bytes, model), ""];
  const picture = await decodePng(bytes);
  return fit(toIds(picture, model), picture.width, picture.height, model);
}

export async function stateFile(scene, name) {
  const { width, height, ids, seeds } = scene;
  const [label_map, seed_map] = await Promise.all(
    [ids, seeds].map(async (numbers) => toBase64(await encodeNumbers(numbers, width, height))));
  const content = { format: FORMAT, model: name, width, height, label_map, seed_map };
  return new Blob([JSON.stringify(content)], { type: "application/json" });
}

export function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

async function readState(bytes, model) {
  let content;
  try {
    content = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new Error("The file is no saved state: its JSON is damaged.");
  }
  if (content.format !== FORMAT) throw new Error("The file is no saved state of this editor.");
  const { width, height } = content;
  const [ids, seeds] = await Promise.all(
    [content.label_map, content.seed_map].map(async (text) => {
      const picture = await decodePng(fromBase64(text));
      if (picture.width !== width || picture.height !== height)
        throw new Error("The saved state is damaged: its sizes differ.");
      return picture.samples;
    }));
  checkIds(ids, model);
  checkSize(width, height, model);
  return { width, height, ids, seeds };
}

function toIds({ kind, samples, channels, palette, width, height }, model) {
  const count = width * height;
  if (kind === "grey") return checkIds(pickChannel(samples, channels, count), model);
  const classOf = new Map(model.palette.map(([r, g, b], id) => [(r << 16) | (g << 8) | b, id]).reverse());
  if (kind === "index") {
    const ids = [...Array(palette.length / 3).keys()].map((i) =>
      classOf.get((palette[3 * i] << 16) | (palette[3 * i + 1] << 8) | palette[3 * i + 2]));
    // With the model's colours they decide; with others the index is the id.
    if ([...new Set(samples)].every((index) => ids[index] !== undefined))
      return samples.map((index) => ids[index]);
    return checkIds(samples, model);
  }
  const ids = new Uint16Array(count);
  for (let i = 0; i < count; i++) {
    const [r, g, b] = samples.subarray(i * channels, i * channels + 3);
    const id = classOf.get((r << 16) | (g << 8) | b);
    if (id === undefined)
      throw new Error(`The colour (${r}, ${g}, ${b}) is not in the model's palette.`);
    ids[i] = id;
  }
  return ids;
}

function pickChannel(samples, channels, count) {
  return channels === 1 ? samples : Uint16Array.from({ length: count }, (_, i) => samples[channels * i]);
}

function checkIds(ids, model) {
  const largest = max(ids);
  if (largest >= model.num_classes)
    throw new Error(`The label map has the id ${largest}; the model's classes end at ${model.num_classes - 1}.`);
  return ids;
}

function max(numbers) {
  return numbers.reduce((a, b) => (a > b ? a : b), 0);
}

export function checkSize(width, height, model) {
  const step = model.size_multiple;
  if (!(width > 0 && height > 0) || width % step || height % step)
    throw new Error(`Both sides must be multiples of ${step}. Received: ${width} x ${height}.`);
  if (width * height > model.max_pixels)
    throw new Error(`${width} x ${height} is too large: the model takes ${model.max_pixels} pixels.`);
}

// Nearest pixels, to the nearest size the model takes.
function fit(ids, width, height, model) {
  const step = model.size_multiple;
  const shrink = Math.min(1, Math.sqrt(model.max_pixels / (width * height)));
  const round = shrink < 1 ? Math.floor : Math.round;
  const [w, h] = [width, height].map((n) => Math.max(step, round((n * shrink) / step) * step));
  checkSize(w, h, model);
  if (w === width && h === height) return [newScene(ids, w, h), ""];
  const fitted = new Uint16Array(w * h);
  for (let y = 0, i = 0; y < h; y++) {
    const row = Math.floor(((y + 0.5) * height) / h) * width;
    for (let x = 0; x < w; x++) fitted[i++] = ids[row + Math.floor(((x + 0.5) * width) / w)];
  }
  return [newScene(fitted, w, h), `Resized from ${width} x ${height} to ${w} x ${h}.`];
}
