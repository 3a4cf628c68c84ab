// PNG files of numbers. A canvas has 8 bits and alters colours as it likes; ids must stay exact.

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const MAX_PIXELS = 2 ** 26;

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});

// Grey 16-bit PNG of a Uint16Array, as Uint8Array.
export function encodeNumbers(numbers, width, height) {
  const rows = new Uint8Array(height * (1 + 2 * width));
  const view = new DataView(rows.buffer);
  for (let y = 0, at = 0, i = 0; y < height; y++) {
    at++; // no filter
    for (let x = 0; x < width; x++, at += 2) view.setUint16(at, numbers[i++]);
  }
  return encode(rows, width, height, [16, 0]);
}

// Coloured 8-bit PNG of red, green and blue, row by row in a Uint8ClampedArray, as Uint8Array.
export function encodeColours(colours, width, height) {
  const stride = 3 * width, rows = new Uint8Array(height * (1 + stride));
  for (let y = 0; y < height; y++) {
    rows.set(colours.subarray(y * stride, (y + 1) * stride), y * (1 + stride) + 1);
  }
  return encode(rows, width, height, [8, 2]);
}

async function encode(rows, width, height, [depth, colour]) {
  const header = new Uint8Array(13);
  const headerView = new DataView(header.buffer);
  headerView.setUint32(0, width);
  headerView.setUint32(4, height);
  header.set([depth, colour, 0, 0, 0], 8);
  const data = await through(new CompressionStream("deflate"), rows);
  const chunks = [chunk("IHDR", header), chunk("IDAT", data), chunk("IEND", new Uint8Array())];
  return new Uint8Array(await new Blob([Uint8Array.from(SIGNATURE), ...chunks]).arrayBuffer());
}

// {width, height, kind: "grey" | "index" | "colour", samples: Uint16Array, channels, palette}.
// Samples are as in the file, but for colours, which have 8 bits. `palette` is of Uint8 triples.
export async function decodePng(bytes) {
  if (SIGNATURE.some((value, i) => bytes[i] !== value)) throw new Error("This is no PNG file.");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 8, header = null, palette = null;
  const parts = [];
  while (at + 12 <= bytes.length) {
    const length = view.getUint32(at);
    const kind = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const data = bytes.subarray(at + 8, at + 8 + length);
    if (kind === "IHDR") header = data;
    if (kind === "PLTE") palette = data;
    if (kind === "IDAT") parts.push(data);
    if (kind === "IEND") break;
    at += 12 + length;
  }
  if (!header || header.length !== 13 || !parts.length) throw new Error("The PNG file is damaged.");
  const headerView = new DataView(header.buffer, header.byteOffset, 13);
  const [width, height] = [headerView.getUint32(0), headerView.getUint32(4)];
  const [depth, colour, , , interlaced] = header.subarray(8);
  if (interlaced) throw new Error("Interlaced PNG files cannot be read; save it without.");
  if (!(colour in CHANNELS) || ![1, 2, 4, 8, 16].includes(depth))
    throw new Error("The PNG file is damaged.");
  if (width * height > MAX_PIXELS) throw new Error(`A picture of ${width} x ${height} is too large.`);
  const channels = CHANNELS[colour];
  let rows;
  try {
    rows = await through(new DecompressionStream("deflate"), ...parts);
  } catch {
    throw new Error("The PNG file is damaged.");
  }
  const stride = Math.ceil((width * channels * depth) / 8);
  if (rows.length < height * (stride + 1)) throw new Error("The PNG file is cut short.");
  unfilter(rows, stride, height, Math.max(1, (channels * depth) / 8));
  const samples = unpack(rows, stride, width * channels, height, depth);
  const kind = colour === 3 ? "index" : channels <= 2 ? "grey" : "colour";
  if (kind === "colour" && depth === 16) samples.forEach((value, i) => { samples[i] = value >> 8; });
  return { width, height, kind, samples, channels, palette };
}

async function through(stream, ...parts) {
  const output = new Blob(parts).stream().pipeThrough(stream);
  return new Uint8Array(await new Response(output).arrayBuffer());
}

function chunk(kind, data) {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i++) bytes[4 + i] = kind.charCodeAt(i);
  bytes.set(data, 8);
  let crc = 0xffffffff;
  for (const byte of bytes.subarray(4, 8 + data.length)) crc = CRC[(crc ^ byte) & 255] ^ (crc >>> 8);
  view.setUint32(8 + data.length, ~crc >>> 0);
  return bytes;
}

// Undoes the five row filters in place; `step` is the distance to the pixel on the left.
function unfilter(rows, stride, height, step) {
  for (let y = 0; y < height; y++) {
    const start = y * (stride + 1) + 1, filter = rows[start - 1], above = start - stride - 1;
    for (let i = 0; i < stride; i++) {
      const a = i >= step ? rows[start + i - step] : 0;
      const b = y ? rows[above + i] : 0;
      const c = y && i >= step ? rows[above + i - step] : 0;
      rows[start + i] += [0, a, b, (a + b) >> 1, filter === 4 ? paeth(a, b, c) : 0][filter] ?? 0;
    }
  }
}

function paeth(a, b, c) {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

function unpack(rows, stride, count, height, depth) {
  const samples = new Uint16Array(count * height);
  for (let y = 0, out = 0; y < height; y++) {
    const start = y * (stride + 1) + 1;
    for (let i = 0; i < count; i++, out++) {
      if (depth === 16) samples[out] = (rows[start + 2 * i] << 8) | rows[start + 2 * i + 1];
      else if (depth === 8) samples[out] = rows[start + i];
      else {
        const bit = i * depth;
        samples[out] = (rows[start + (bit >> 3)] >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
      }
    }
  }
  return samples;
}
