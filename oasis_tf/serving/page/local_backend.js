// Pictures that the browser draws itself, from the model that lies beside the page.

import { encodeColours } from "./png.js";

const NO_WEBASSEMBLY =
  "This browser has no WebAssembly, or it is switched off, as in a phone's lockdown mode; without it no " +
  "picture can be drawn here.";

export class LocalBackend {
  name = "";
  engine = "";
  #model = null;
  #worker = null; // a promise of it
  #answers = null; // {resolve, reject, waiting} of what the worker is at

  async open(waiting) {
    if (typeof WebAssembly !== "object") throw new Error(NO_WEBASSEMBLY);
    this.#model = await describe();
    this.name = this.#model.name;
    await this.#opened(waiting);
    return this.#model;
  }

  async paint(scene) {
    const { width, height, ids, seeds } = scene;
    const worker = await this.#opened(() => {});
    const { colours, engine } = await this.#ask(worker, { width, height, ids, seeds });
    this.engine = engine;
    return encodeColours(colours, width, height);
  }

  // The worker with the model. One that has failed may have no memory left: the next is a new one.
  #opened(waiting) {
    this.#worker ??= (async () => {
      const worker = new Worker(new URL("local_worker.js", import.meta.url), { type: "module" });
      worker.onmessage = ({ data }) => {
        if ("waiting" in data) this.#answers.waiting(data.waiting);
        else if ("error" in data) this.#fail(worker, data.error);
        else this.#answers.resolve(data);
      };
      worker.onerror = (event) => {
        event.preventDefault();
        this.#fail(worker, event.message || "its program cannot be loaded");
      };
      ({ engine: this.engine } = await this.#ask(worker, { model: this.#model }, waiting));
      return worker;
    })();
    return this.#worker;
  }

  #ask(worker, question, waiting = () => {}) {
    return new Promise((resolve, reject) => {
      this.#answers = { resolve, reject, waiting };
      worker.postMessage(question);
    });
  }

  #fail(worker, reason) {
    worker.terminate();
    this.#worker = null;
    this.#answers.reject(new Error(`The picture cannot be drawn in this browser: ${reason}`));
  }
}

async function describe() {
  let reason;
  try {
    const response = await fetch("model/model.json");
    if (response.ok) return await response.json();
    reason = `HTTP ${response.status}`;
  } catch (error) {
    reason = error.message;
  }
  throw new Error(`The file model/model.json beside this page cannot be read: ${reason}`);
}
