// What the pixels of a label PNG mean: the rule of data_pipeline/labels/label_rule.py, where it is
// explained. The model says of its data set: label_ids, {id in files: class} or null where they are
// the same; label_colours, {id in files: colour} or null; palette, the colour of each class.

// Classes, Uint16Array, of a picture from decodePng.
export function toClasses(picture, model) {
  const ids = idsOf(picture, model), classes = classOf(model);
  return ids.map((id) => {
    if (!classes.has(id))
      throw new Error(`The label map has the id ${id}, which is that of none of the ${model.num_classes} classes.`);
    return classes.get(id);
  });
}

// The id that stands for each class in label files; see `Legend.file_ids`.
export function fileIds(model) {
  const ids = [], pairs = pairsOf(model);
  for (const [id, label] of [...pairs].sort(([a], [b]) => a - b)) ids[label] ??= id;
  let free = 2 ** 16;
  for (let label = 0; label < model.num_classes; label++) {
    if (ids[label] !== undefined) continue;
    do free--; while (pairs.has(free));
    ids[label] = free;
  }
  return ids;
}

function pairsOf({ label_ids, num_classes }) {
  if (!label_ids) return new Map([...Array(num_classes).keys()].map((id) => [id, id]));
  return new Map(Object.entries(label_ids).map(([id, label]) => [Number(id), label]));
}

function classOf(model) {
  return new Map([...pairsOf(model), ...fileIds(model).map((id, label) => [id, label])]);
}

function idsOf({ kind, samples, channels, palette, width, height }, model) {
  const count = width * height;
  if (kind === "grey") return Uint16Array.from({ length: count }, (_, i) => samples[channels * i]);
  const colours = new Map(Object.entries(model.label_colours ?? {}).map(([id, c]) => [Number(id), keyOf(c)]));
  const ids = fileIds(model);
  const shown = new Map(model.palette.map((colour, label) => [ids[label], keyOf(colour)]));
  if (kind === "colour") {
    const keys = Uint32Array.from({ length: count }, (_, i) => keyOf(samples.subarray(channels * i)));
    const used = [...new Set(keys)];
    const table = meaning(used, lowest(colours)) ?? meaning(used, lowest(shown));
    if (!table) throw strange(used, colours, shown);
    return Uint16Array.from(keys, (key) => table.get(key));
  }
  const table = idsOfPalette(palette ?? [], [...new Set(samples)], model, colours, shown);
  return samples.map((index) => table.get(index));
}

// A Map from the indices that are used to ids.
function idsOfPalette(palette, used, model, colours, shown) {
  const size = Math.floor(palette.length / 3);
  const entry = (index) => palette.slice(3 * index, 3 * index + 3);
  if (used.some((index) => index >= size)) throw new Error("The PNG file has an index without a colour.");
  const unlabelled = [...pairsOf(model)].filter(([, label]) => label === 0).map(([id]) => id);
  const free = colours.size ? unlabelled.filter((id) => !colours.has(id)) : [];
  const byColour = lowest(colours);
  const listed = colours.size && meaning(used, {
    get(index) {
      const key = keyOf(entry(index));
      return colours.get(index) === key ? index : byColour.get(key) ?? (free.includes(index) ? index : undefined);
    },
  });
  if (listed) return listed;
  if ([...Array(size).keys()].every((index) => new Set(entry(index)).size === 1)) {
    const levels = new Map(used.map((index) => [index, palette[3 * index]]));
    if (new Set(levels.values()).size < used.length)
      throw new Error("A palette of greys must give every index a grey of its own.");
    return levels;
  }
  const byShown = lowest(shown);
  const table = meaning(used, { get: (index) => byShown.get(keyOf(entry(index))) });
  if (!table) throw strange(used.map((index) => keyOf(entry(index))), colours, shown);
  return table;
}

// {key: what `table` has for it}, or null if it lacks one.
function meaning(keys, table) {
  const found = new Map(keys.map((key) => [key, table.get(key)]));
  return [...found.values()].includes(undefined) ? null : found;
}

// A Map from colours to the lowest id of each.
function lowest(colours) {
  return new Map([...colours].sort(([a], [b]) => b - a).map(([id, key]) => [key, id]));
}

function strange(keys, colours, shown) {
  const known = new Set((colours.size ? colours : shown).values());
  const key = keys.find((key) => !known.has(key)) ?? keys[0];
  const colour = `(${key >> 16}, ${(key >> 8) & 255}, ${key & 255})`;
  return new Error(`The colour ${colour} is not in the model's palette.`);
}

function keyOf([r, g, b]) {
  return (r << 16) | (g << 8) | b;
}
