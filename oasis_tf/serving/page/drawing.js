// Which pixels a stroke, a fill and a box cover: functions without state. Pixels are numbered
// row by row; (x, y) are pixels' coordinates and may lie outside.

// The pixel under the pointer, where `element` shows a picture of the scene's size.
export function pixelAt(event, element, scene) {
  const rect = element.getBoundingClientRect();
  return [
    Math.floor(((event.clientX - rect.left) * scene.width) / rect.width),
    Math.floor(((event.clientY - rect.top) * scene.height) / rect.height),
  ];
}

// All pixels within half of `size` of the way from one pixel to another.
export function stroke(width, height, x0, y0, x1, y1, size, visit) {
  const radius = size / 2, reach = Math.ceil(radius);
  const [dx, dy] = [x1 - x0, y1 - y0], length = dx * dx + dy * dy;
  for (let y = Math.max(0, Math.min(y0, y1) - reach); y <= Math.min(height - 1, Math.max(y0, y1) + reach); y++) {
    for (let x = Math.max(0, Math.min(x0, x1) - reach); x <= Math.min(width - 1, Math.max(x0, x1) + reach); x++) {
      const t = length ? Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) / length)) : 0;
      const [ex, ey] = [x - x0 - t * dx, y - y0 - t * dy];
      if (ex * ex + ey * ey < radius * radius) visit(y * width + x);
    }
  }
}

export function box(width, height, x0, y0, x1, y1, visit) {
  const [left, right] = [Math.max(0, Math.min(x0, x1)), Math.min(width - 1, Math.max(x0, x1))];
  const [top, bottom] = [Math.max(0, Math.min(y0, y1)), Math.min(height - 1, Math.max(y0, y1))];
  for (let y = top; y <= bottom; y++) for (let x = left; x <= right; x++) visit(y * width + x);
}

// The pixels of one number that hang together with (x, y) by their sides.
export function area(numbers, width, height, x, y, visit) {
  const start = y * width + x, number = numbers[start];
  const seen = new Uint8Array(numbers.length), stack = [start];
  seen[start] = 1;
  while (stack.length) {
    const i = stack.pop(), column = i % width;
    visit(i);
    const beside = [i - width, i + width];
    if (column > 0) beside.push(i - 1);
    if (column < width - 1) beside.push(i + 1);
    for (const j of beside) {
      if (j >= 0 && j < numbers.length && !seen[j] && numbers[j] === number) {
        seen[j] = 1;
        stack.push(j);
      }
    }
  }
}
