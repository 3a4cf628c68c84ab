// The picture on screen: what to draw anew is clicked or brushed here; two pictures are compared.

import { pixelAt, stroke } from "./drawing.js";
import { OnePointer } from "./one_pointer.js";

export class PictureCanvas {
  #brushing = null; // {x, y, pixels: Set, shade: ImageData} while the pointer is down
  #shown = 0; // number of the newest picture

  // `onSelect(select)` is called with a function of a scene to the pixels to draw anew.
  constructor(onSelect) {
    this.picture = document.getElementById("picture");
    this.other = document.getElementById("other");
    this.mask = document.getElementById("mask");
    this.slider = document.getElementById("slider");
    this.pick = "class";
    this.size = 24;
    this.onSelect = onSelect;
    this.slider.oninput = () => this.#slide();
    new OnePointer(this.mask, {
      begin: (event) => this.#begin(event), move: (event) => this.#move(event),
      end: (event) => this.#end(event), cancel: () => this.#clear(),
    });
  }

  get comparing() { return !this.other.hidden; }

  resize(scene) {
    this.scene = scene;
    for (const canvas of [this.picture, this.other, this.mask]) {
      if (canvas.width !== scene.width || canvas.height !== scene.height)
        [canvas.width, canvas.height] = [scene.width, scene.height];
    }
  }

  // Resolves once the picture, or a later one, is there.
  async show(blob) {
    const number = ++this.#shown;
    const bitmap = await createImageBitmap(blob);
    if (number === this.#shown) draw(this.picture, bitmap);
  }

  async compare(blob) {
    if (!blob) {
      this.other.hidden = this.slider.hidden = true;
      return;
    }
    draw(this.other, await createImageBitmap(blob));
    this.other.hidden = this.slider.hidden = false;
    this.#slide();
    this.slider.focus();
  }

  #slide() {
    this.other.style.setProperty("--share", `${this.slider.value / 10}%`);
  }

  #begin(event) {
    if (this.pick === "class") return;
    const [x, y] = pixelAt(event, this.mask, this.scene);
    const shade = this.mask.getContext("2d").createImageData(this.scene.width, this.scene.height);
    this.#brushing = { x, y, pixels: new Set(), shade };
    this.#brushTo(x, y);
  }

  #move(event) {
    if (this.#brushing) this.#brushTo(...pixelAt(event, this.mask, this.scene));
  }

  #brushTo(x, y) {
    const brushing = this.#brushing, { width, height } = this.scene;
    const words = new Uint32Array(brushing.shade.data.buffer);
    stroke(width, height, brushing.x, brushing.y, x, y, this.size, (i) => {
      brushing.pixels.add(i);
      words[i] = 0x90ffffff;
    });
    this.mask.getContext("2d").putImageData(brushing.shade, 0, 0);
    [brushing.x, brushing.y] = [x, y];
  }

  #end(event) {
    if (!this.#brushing) {
      this.#selectClass(event);
      return;
    }
    const { width, height } = this.scene, pixels = [...this.#brushing.pixels];
    this.#clear();
    this.onSelect((scene) => (scene.width === width && scene.height === height ? pixels : []));
  }

  #selectClass(event) {
    const [x, y] = pixelAt(event, this.mask, this.scene), { width, height } = this.scene;
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    const id = this.scene.ids[y * width + x];
    this.onSelect(function* (scene) {
      for (let i = 0; i < scene.ids.length; i++) if (scene.ids[i] === id) yield i;
    });
  }

  #clear() {
    this.#brushing = null;
    this.mask.getContext("2d").clearRect(0, 0, this.mask.width, this.mask.height);
  }
}

function draw(canvas, bitmap) {
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
}
