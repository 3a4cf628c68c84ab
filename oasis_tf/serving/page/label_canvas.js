// The label map on screen, and the tools that paint on it.

import { area, box, pixelAt, stroke } from "./drawing.js";
import { OnePointer } from "./one_pointer.js";

const KEY_STEP = 4;

export class LabelCanvas {
  #pixels = null; // ImageData of what is on screen
  #ids = null; // of the stroke under way, else of the scene
  #painting = null; // {x, y, before} while the pointer is down
  #picking = false; // whether the pointer that is down picks a class
  #cursor = null; // of the keyboard

  // `onPaint(ids)` is called with new ids after each use of a tool, `onPick(id)` for a class that
  // is picked, `onHover(id or null, x, y)`.
  constructor(model, { onPaint, onPick, onHover }) {
    this.canvas = document.getElementById("labels");
    this.stage = document.getElementById("label-stage");
    this.context = this.canvas.getContext("2d");
    this.colours = Uint32Array.from(model.palette, ([r, g, b]) =>
      ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0);
    this.tool = "brush";
    this.size = 24;
    this.id = 0;
    Object.assign(this, { onPaint, onPick, onHover });
    this.ring = document.createElement("div");
    this.ring.id = "ring";
    this.ring.hidden = true;
    this.stage.append(this.ring);
    const canvas = this.canvas;
    new OnePointer(canvas, {
      begin: (event) => this.#down(event), move: (event) => this.#move(event),
      end: (event) => this.#up(event), cancel: () => this.#cancel(),
      hover: (event) => this.#move(event),
    });
    canvas.onpointerleave = () => { this.ring.hidden = true; onHover(null); };
    canvas.onkeydown = (event) => this.#key(event);
    canvas.onblur = () => { this.ring.hidden = true; };
  }

  show(scene) {
    this.scene = scene;
    this.#painting = null;
    if (this.canvas.width !== scene.width || this.canvas.height !== scene.height || !this.#pixels) {
      [this.canvas.width, this.canvas.height] = [scene.width, scene.height];
      this.#pixels = this.context.createImageData(scene.width, scene.height);
    }
    this.#draw(scene.ids);
  }

  #draw(ids) {
    this.#ids = ids;
    const words = new Uint32Array(this.#pixels.data.buffer);
    for (let i = 0; i < ids.length; i++) words[i] = this.colours[ids[i]];
    this.context.putImageData(this.#pixels, 0, 0);
  }

  #down(event) {
    const [x, y] = pixelAt(event, this.canvas, this.scene);
    this.canvas.focus();
    this.#picking = this.tool === "pick" || event.altKey;
    if (!this.#picking) this.#begin(x, y);
  }

  #move(event) {
    const [x, y] = pixelAt(event, this.canvas, this.scene);
    this.#showRing(x, y);
    this.onHover(this.#inside(x, y) ? this.#ids[y * this.scene.width + x] : null, x, y);
    if (this.#painting) this.#paintTo(x, y);
  }

  #up(event) {
    const [x, y] = pixelAt(event, this.canvas, this.scene);
    if (this.#picking) this.#pick(x, y);
    else if (this.#painting) this.#end(x, y);
    this.#picking = false;
  }

  #cancel() {
    this.#picking = false;
    if (this.#painting) this.show(this.scene);
  }

  #begin(x, y) {
    this.#painting = { x, y, before: this.scene.ids, ids: this.scene.ids.slice() };
    this.#paintTo(x, y);
  }

  #paintTo(x, y) {
    const { width, height } = this.scene, painting = this.#painting;
    const paint = (i) => { painting.ids[i] = this.id; };
    if (this.tool === "brush") {
      stroke(width, height, painting.x, painting.y, x, y, this.size, paint);
      [painting.x, painting.y] = [x, y];
    } else if (this.tool === "rectangle") {
      painting.ids.set(painting.before);
      box(width, height, painting.x, painting.y, x, y, paint);
    } else if (this.#inside(x, y) && !painting.filled) {
      painting.filled = true; // a fill is of where it began
      area(painting.before, width, height, x, y, paint);
    }
    this.#draw(painting.ids);
  }

  #end(x, y) {
    this.#paintTo(x, y);
    const { ids, before } = this.#painting;
    this.#painting = null;
    if (ids.some((id, i) => id !== before[i])) this.onPaint(ids);
  }

  #pick(x, y) {
    if (this.#inside(x, y)) this.onPick(this.#ids[y * this.scene.width + x]);
  }

  #inside(x, y) {
    return x >= 0 && y >= 0 && x < this.scene.width && y < this.scene.height;
  }

  #showRing(x, y) {
    const scale = this.canvas.clientWidth / this.scene.width;
    const size = this.tool === "brush" ? this.size : 1;
    const side = Math.max(6, size * scale);
    const { style } = this.ring;
    style.width = style.height = `${side}px`;
    style.left = `${this.canvas.offsetLeft + (x + 0.5) * scale - side / 2}px`;
    style.top = `${this.canvas.offsetTop + (y + 0.5) * scale - side / 2}px`;
    this.ring.hidden = false;
  }

  // Without a pointer: arrows move a cursor, Space uses the tool there.
  #key(event) {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const { width, height } = this.scene;
    this.#cursor ??= [width >> 1, height >> 1];
    if (move) {
      const step = event.shiftKey ? 1 : KEY_STEP;
      this.#cursor = [
        Math.min(width - 1, Math.max(0, this.#cursor[0] + step * move[0])),
        Math.min(height - 1, Math.max(0, this.#cursor[1] + step * move[1])),
      ];
      if (this.#painting) this.#paintTo(...this.#cursor);
    } else if (event.key === " ") {
      if (this.tool === "pick") this.#pick(...this.#cursor);
      else if (this.#painting) this.#end(...this.#cursor);
      else {
        this.#begin(...this.#cursor);
        // A box waits for its other corner; the others are done.
        if (this.tool !== "rectangle") this.#end(...this.#cursor);
      }
    } else if (event.key === "Escape") this.#cancel();
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.#showRing(...this.#cursor);
    const [x, y] = this.#cursor;
    this.onHover(this.#ids[y * width + x], x, y);
  }
}
