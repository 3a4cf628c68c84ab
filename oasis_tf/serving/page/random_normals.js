// Random numbers that are, bit for bit, those of oasis_tf/random_normals.py, where they are explained:
// Philox 4x32-10 in words of 32 bits, and Box and Muller's normals in doubles.

const ROUNDS = 10;
const MULTIPLIERS = [0xd2511f53, 0xcd9e8d57];
const KEY_STEPS = [0x9e3779b9, 0xbb67ae85];

// Standard normals of a pair of 64-bit numbers, each [low word, high word]: Float32Array.
export function randomNormals(first, second, count) {
  const normals = new Float32Array(count);
  for (let i = 0; i < count; i += 4) {
    const [a, b, c, d] = philox([i / 4, 0, ...second], first);
    normals.set([...pair(a, b), ...pair(c, d)].slice(0, count - i), i);
  }
  return normals;
}

// Four words of counter and two of key to four random words.
export function philox(counter, key) {
  let [x0, x1, x2, x3] = counter, [key0, key1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = high(x0, MULTIPLIERS[0]), low0 = Math.imul(x0, MULTIPLIERS[0]);
    const high1 = high(x2, MULTIPLIERS[1]), low1 = Math.imul(x2, MULTIPLIERS[1]);
    [x0, x1, x2, x3] = [high1 ^ x1 ^ key0, low1, high0 ^ x3 ^ key1, low0];
    [key0, key1] = [key0 + KEY_STEPS[0] | 0, key1 + KEY_STEPS[1] | 0];
  }
  return [x0 >>> 0, x1 >>> 0, x2 >>> 0, x3 >>> 0];
}

// The high word of the product of two words. A double has 53 bits, so halves are multiplied: none of
// the sums below reaches 2^32.
function high(a, b) {
  const [aLow, aHigh] = [a & 0xffff, a >>> 16], [bLow, bHigh] = [b & 0xffff, b >>> 16];
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const other = aLow * bHigh + (middle & 0xffff);
  return aHigh * bHigh + (middle >>> 16) + (other >>> 16);
}

function pair(a, b) {
  const radius = Math.sqrt(-2 * Math.log((a + 0.5) * 2 ** -32)), angle = 2 * Math.PI * b * 2 ** -32;
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}
