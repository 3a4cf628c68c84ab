// Pictures from a server with TensorFlow Serving's REST API.

import { requestFile } from "./files.js";
import { encodeNumbers } from "./png.js";
import { Rest } from "./rest.js";

const ASK_AGAIN = 1000; // milliseconds

export class ServerBackend {
  engine = "";
  #model = null;

  constructor() {
    this.name = new URLSearchParams(location.search).get("model") ?? "oasis";
    this.rest = new Rest(this.name);
  }

  async open(waiting) {
    const signatures = await this.#whenLoaded(waiting);
    for (const signature of ["describe", "regions_png"]) {
      if (!(signature in signatures))
        throw new Error(`The model ${this.name} has no signature ${signature}: it was not exported for this page.`);
    }
    this.#model = await this.rest.describe();
    return this.#model;
  }

  async paint(scene) {
    const { width, height, seeds } = scene;
    const files = [requestFile(scene, this.#model), encodeNumbers(seeds, width, height)];
    return this.rest.paint(...await Promise.all(files));
  }

  // The model's signatures, as soon as there is a version that has some.
  async #whenLoaded(waiting) {
    while (true) {
      try {
        return await this.rest.signatures();
      } catch (error) {
        waiting(`${await this.#whyNot(error)} This page asks again by itself.`);
      }
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN));
    }
  }

  async #whyNot(error) {
    try {
      const states = await this.rest.states();
      if (states.some((state) => state === "START" || state === "LOADING")) return "The model is loading.";
    } catch {
      // The first error says what is wrong.
    }
    return `The model ${this.name} cannot be used yet: ${error.message}`;
  }
}
