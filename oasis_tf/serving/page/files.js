// Label maps and states from files, and files for the user.

import { fileIds, toClasses } from "./label_rule.js";
import { decodePng, encodeNumbers } from "./png.js";
import { fromBase64, toBase64 } from "./rest.js";
import { newScene } from "./scene.js";

const FORMAT = "oasis-editor-state";

// A scene from a label map (PNG) or a saved state (JSON); what to say of it in passing, or ""; and
// what must be read before one goes on, or "".
export async function readScene(file, model, name) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (bytes[0] === "{".charCodeAt(0)) return readState(bytes, model, name);
  const picture = await decodePng(bytes);
  return fit(toClasses(picture, model), picture.width, picture.height, model);
}

// A label PNG with ids as in the files of the model's data set.
export async function labelFile({ ids, width, height }, model) {
  const file = fileIds(model);
  return encodeNumbers(ids.map((id) => file[id]), width, height);
}

// The label PNG of a request. Models exported before say nothing of label_colours: their inputs hold
// numbers of classes.
export async function requestFile(scene, model) {
  if ("label_colours" in model) return labelFile(scene, model);
  return encodeNumbers(scene.ids, scene.width, scene.height);
}

// Of a state the label map holds numbers of classes, whatever the files of the data set hold; their
// names say what they are to another model.
export async function stateFile(scene, model, name) {
  const { width, height, ids, seeds } = scene;
  const [label_map, seed_map] = await Promise.all(
    [ids, seeds].map(async (numbers) => toBase64(await encodeNumbers(numbers, width, height))));
  const { class_names } = model;
  const content = { format: FORMAT, model: name, class_names, width, height, label_map, seed_map };
  return new Blob([JSON.stringify(content)], { type: "application/json" });
}

export function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

async function readState(bytes, model, name) {
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
  checkSize(width, height, model);
  const notice = mapClasses(ids, content, model, name);
  return [{ width, height, ids, seeds }, "", notice];
}

// Turns the numbers of the classes of a saved state into those of the model, by their names; those
// that the model has not become unlabelled. Returns a notice or "".
function mapClasses(ids, content, model, name) {
  const names = content.class_names ?? model.class_names;
  const largest = max(ids);
  if (!Array.isArray(names) || largest >= names.length)
    throw new Error(`The label map has the id ${largest}; its classes end at ${names.length - 1}.`);
  if (!content.class_names) {
    if (content.model === name) return "";
    return `Saved for the model ${content.model}, without the names of its classes: the numbers were ` +
      `taken for classes of ${name}.`;
  }
  const key = (text) => String(text).toLowerCase();
  const table = new Map(model.class_names.map((text, id) => [key(text), id]).reverse());
  const lost = new Set();
  const ours = names.map((text, id) => {
    // Two classes may have one name; where all are the same, so is the number.
    if (model.class_names[id] === text) return id;
    return table.get(key(text)) ?? (id === 0 ? 0 : null);
  });
  for (let i = 0; i < ids.length; i++) {
    if (ours[ids[i]] === null) lost.add(names[ids[i]]);
    ids[i] = ours[ids[i]] ?? 0;
  }
  if (!lost.size) return "";
  return `Saved for the model ${content.model}. ${name} has not these classes, which are unlabelled ` +
    `now: ${[...lost].join(", ")}.`;
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
  if (w === width && h === height) return [newScene(ids, w, h), "", ""];
  const fitted = new Uint16Array(w * h);
  for (let y = 0, i = 0; y < h; y++) {
    const row = Math.floor(((y + 0.5) * height) / h) * width;
    for (let x = 0; x < w; x++) fitted[i++] = ids[row + Math.floor(((x + 0.5) * width) / w)];
  }
  return [newScene(fitted, w, h), `Resized from ${width} x ${height} to ${w} x ${h}.`, ""];
}
