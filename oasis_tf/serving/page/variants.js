// The strip of pictures that were generated, and the slider between two of them.

const KEEP = 40;

export class Variants {
  #items = []; // {scene, blob, url, row}
  #current = null;

  // `onOpen(variant)` is called when one is clicked, `onCompare(variant or null)` for the slider.
  constructor(onOpen, onCompare) {
    this.strip = document.getElementById("variants");
    this.onOpen = onOpen;
    this.onCompare = onCompare;
  }

  get current() { return this.#current; }

  find(scene) {
    return this.#items.find((item) => item.scene === scene);
  }

  add(scene, blob) {
    const item = { scene, blob, url: URL.createObjectURL(blob) };
    item.row = this.#row(item);
    this.#items.push(item);
    this.strip.append(item.row);
    while (this.#items.length > KEEP) this.#drop(this.#items[0]);
    this.select(item);
    return item;
  }

  select(item) {
    this.#current?.row.firstChild.removeAttribute("aria-current");
    this.#current = item;
    item.row.firstChild.setAttribute("aria-current", "true");
    item.row.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  step(by) {
    const item = this.#items[this.#items.indexOf(this.#current) + by];
    if (item) this.onOpen(item);
  }

  // The one before the current one.
  get before() {
    return this.#items[this.#items.indexOf(this.#current) - 1];
  }

  #row(item) {
    const row = document.createElement("li");
    const thumb = document.createElement("button");
    const image = document.createElement("img");
    const compare = document.createElement("button");
    thumb.className = "thumb";
    thumb.title = "Go back to this one, with its label map";
    thumb.onclick = () => this.onOpen(item);
    image.src = item.url;
    image.alt = `Variant ${this.#items.length + 1}`;
    thumb.append(image);
    compare.className = "compare";
    compare.textContent = "\u21c6";
    compare.title = "Compare with the picture shown";
    compare.ariaLabel = "Compare with the picture shown";
    compare.onclick = () => this.onCompare(item);
    row.append(thumb, compare);
    return row;
  }

  #drop(item) {
    this.#items.splice(this.#items.indexOf(item), 1);
    item.row.remove();
    URL.revokeObjectURL(item.url);
  }
}
