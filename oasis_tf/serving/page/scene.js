// A scene is all that determines a picture. Scenes never change; each edit makes a new one, which
// shares with the old one what it has in common, so that keeping many is cheap.
//
// {width, height, ids: Uint16Array, seeds: Uint16Array}: class and seed of the noise of each pixel.

const HISTORY_BYTES = 2 ** 26;

export function newSeed() {
  return Math.floor(Math.random() * 2 ** 16);
}

export function newScene(ids, width, height) {
  return resampleAll({ ids, width, height });
}

// The scene with all noise drawn anew.
export function resampleAll(scene) {
  return { ...scene, seeds: new Uint16Array(scene.ids.length).fill(newSeed()) };
}

// The scene with the noise of some pixels drawn anew; `pixels` is an iterable of their numbers.
export function resample(scene, pixels) {
  const seeds = scene.seeds.slice(), seed = newSeed();
  for (const i of pixels) seeds[i] = seed;
  return { ...scene, seeds };
}

// Undo and redo.
export class History {
  #scenes = [];
  #at = -1;

  get scene() { return this.#scenes[this.#at]; }
  get canUndo() { return this.#at > 0; }
  get canRedo() { return this.#at < this.#scenes.length - 1; }

  push(scene) {
    this.#scenes.splice(this.#at + 1, Infinity, scene);
    const most = Math.max(2, Math.floor(HISTORY_BYTES / (4 * scene.ids.length)));
    this.#scenes.splice(0, this.#scenes.length - most);
    this.#at = this.#scenes.length - 1;
  }

  undo() { if (this.canUndo) this.#at--; return this.scene; }
  redo() { if (this.canRedo) this.#at++; return this.scene; }
}
